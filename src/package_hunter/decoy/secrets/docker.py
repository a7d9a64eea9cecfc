"""~/.docker/config.json."""

from __future__ import annotations

import base64
import json

from package_hunter.decoy.forge import Forge, random_text

DOCKER_HOST = "registry.northwind.internal"
DOCKER_USE = f"docker@{DOCKER_HOST}"


def make(forge: Forge) -> None:
    password = forge.canary(
        "docker-password", ".docker/config.json", f"dckr_pat_{random_text(27)}", (DOCKER_USE,)
    )
    auth = base64.b64encode(f"northwindci:{password}".encode()).decode()
    config = {"auths": {DOCKER_HOST: {"auth": auth}}}
    forge.file(".docker/config.json", json.dumps(config, indent=8), 0o600)
