"""~/.npmrc: the token that npm sends to its registry."""

from __future__ import annotations

from urllib.parse import urlsplit

from package_hunter.decoy.forge import Forge, checked_token


def make(forge: Forge) -> None:
    lines = []
    for upstream in forge.upstream("npm"):
        if not upstream.default:
            lines += [f"{scope}:registry={upstream.url}" for scope in upstream.scopes]
        parts = urlsplit(upstream.url)
        use = f"npm-registry@{parts.hostname or ''}"
        token = forge.canary("npm-token", ".npmrc", checked_token("npm_"), (use,))
        lines.append(f"//{parts.netloc}{parts.path}:_authToken={token}")
    if not lines:
        token = forge.canary("npm-token", ".npmrc", checked_token("npm_"))
        lines.append(f"_authToken={token}")
    lines += ["init-author-name=Daniel Meyer", "save-exact=true"]
    forge.file(".npmrc", "\n".join(lines) + "\n", 0o600)
