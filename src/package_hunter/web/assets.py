"""Style and scripts: read with the program, named by digest, so that browsers keep them until they change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from package_hunter.report import evidence

_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        """The beginning of its SHA-256: a new file has a new address."""
        return hashlib.sha256(self.body).hexdigest()[:16]


def _read() -> dict[str, Asset]:
    room = resources.files(__package__).joinpath("static")
    found = {}
    for file in room.iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in _KINDS:
            found[file.name] = Asset(_KINDS[kind], file.read_bytes())
    style = evidence.STYLE.encode() + found["style.css"].body
    return {**found, "style.css": Asset(_KINDS["css"], style)}


ASSETS = _read()
"""All of them, by name. The style begins with the design tokens that the HTML report has, too."""
_ADDRESSES = {name: f"/static/{one.digest}/{name}" for name, one in ASSETS.items()}


def asset(name: str) -> str:
    """Its address."""
    return _ADDRESSES[name]
