"""~/.pypirc: an upload token, a macaroon as PyPI gives out (libmacaroons' binary format, version 2)."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from urllib.parse import urlsplit

from package_hunter.decoy.forge import Forge


def _macaroon(location: str) -> str:
    identifier = json.dumps({"version": 1, "token": str(uuid.uuid4())}).encode()
    caveat = json.dumps([0, int(2e9), int(1.7e9)]).encode()
    where = location.encode()[:120]
    data = bytes((2, 1, len(where))) + where + bytes((2, len(identifier))) + identifier + b"\0"
    data += bytes((2, len(caveat))) + caveat + b"\0\0" + bytes((6, 32)) + secrets.token_bytes(32)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make(forge: Forge) -> None:
    upstreams = forge.upstream("pypi")
    host = (urlsplit(upstreams[0].url).hostname if upstreams else None) or "packages.internal"
    token = forge.canary(
        "pypi-token", ".pypirc", "pypi-" + _macaroon(host), forge.only_at("pypi-upload", "pypi")
    )
    forge.file(
        ".pypirc",
        f"[distutils]\nindex-servers =\n    pypi\n\n[pypi]\nusername = __token__\npassword = {token}\n",
        0o600,
    )
