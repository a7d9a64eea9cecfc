"""GitHub's command line: ~/.config/gh/hosts.yml."""

from __future__ import annotations

from package_hunter.decoy.forge import Forge, checked_token


def make(forge: Forge) -> None:
    token = forge.canary("github-token", ".config/gh/hosts.yml", checked_token("gho_"), ("github",))
    forge.file(
        ".config/gh/hosts.yml",
        f"github.com:\n    user: dmeyer-dev\n    oauth_token: {token}\n    git_protocol: https\n",
        0o600,
    )
