"""~/.gem/credentials, the key that ``gem push`` sends, and ~/.gemrc, which names the host's sources."""

from __future__ import annotations

import secrets

from package_hunter.decoy.forge import Forge


def make(forge: Forge) -> None:
    value = f"rubygems_{secrets.token_hex(24)}"
    key = forge.canary("gem-key", ".gem/credentials", value, forge.only_at("gem-registry", "gem"))
    forge.file(".gem/credentials", f"---\n:rubygems_api_key: {key}\n", 0o600)
    sources = "".join(f"- {upstream.url}\n" for upstream in forge.upstream("gem"))
    if sources:
        forge.file(".gemrc", f"---\n:sources:\n{sources}:update_sources: true\n")
