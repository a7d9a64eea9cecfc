"""Kinds of fake secrets: a file each, with ``make(forge)``, listed here in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable

from package_hunter.decoy.forge import Forge
from package_hunter.decoy.secrets import (
    agents,
    aws,
    browsers,
    clouds,
    docker,
    documents,
    environment,
    gem,
    gh,
    git,
    history,
    identity,
    keepers,
    metadata,
    npmrc,
    project_env,
    pypirc,
    runner,
    ssh,
    stores,
    wallets,
    withheld,
)

KINDS: tuple[Callable[[Forge], None], ...] = (
    agents.make, aws.make, browsers.make, clouds.make, docker.make, documents.make, environment.make,
    gem.make, gh.make, git.make, history.make, identity.make, keepers.make, metadata.make, npmrc.make, project_env.make,
    pypirc.make, runner.make, ssh.make, stores.make, wallets.make, withheld.make,
)  # fmt: skip
