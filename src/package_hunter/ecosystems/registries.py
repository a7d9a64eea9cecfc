"""Which registries this host uses, with which credentials: from the host's user and global configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from package_hunter.decoy.second_names import with_second_names
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.known import ecosystems


def discover(
    cache_dir: Path | None = None, built_in: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> tuple[Upstream, ...]:
    """This host's registries, of each ecosystem, as far as those are set up or have a default.

    ``built_in`` is what the managers in the box have built in for each ecosystem's registry. With ``cache_dir`` (the
    worker's own folder, not the gateway's cache) what the programs said is kept there, never with credentials,
    and reused until a configuration file, the environment or the program changes.
    """
    found: list[Upstream] = []
    for one in ecosystems():
        if (host := one.host()) is not None:
            found += host.upstreams(cache_dir, built_in.get(one.facts.name, ()))
    return with_second_names(found, built_in)


def box_environment(upstreams: Sequence[Upstream]) -> dict[str, str]:
    """Where the package managers in the box find the host's registries; no credentials."""
    env: dict[str, str] = {}
    for one in ecosystems():
        own = [upstream for upstream in upstreams if upstream.ecosystem == one.facts.name]
        if (host := one.host()) is not None:
            env.update(host.box_environment(own))
    return env
