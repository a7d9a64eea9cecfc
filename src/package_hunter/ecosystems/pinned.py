"""What a lock file pins, whichever manager wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock file. ``registry``: a registry has it under this name and version; else it comes
    from a repository, an address or a folder. ``optional``: the install goes on without it."""

    purl: str
    name: str
    version: str
    integrity: str | None = None
    registry: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file: its name, the ecosystem, and all that it pins, in its order. ``whole`` is false where it
    is only a list of wishes (a requirements.txt that leaves versions open)."""

    name: str
    ecosystem: str
    packages: tuple[Pin, ...]
    whole: bool = True


def changed(old: Iterable[Pin], new: Iterable[Pin]) -> list[Pin]:
    """What ``new`` pins and ``old`` did not, in this version and with these bytes, each once."""
    known = {(p.purl, p.integrity) for p in old}
    names = {purl for purl, _ in known}
    bare = {purl for purl, integrity in known if integrity is None}
    found: dict[str, Pin] = {}
    for p in new:
        same = (p.purl, p.integrity) in known or p.purl in bare or (p.integrity is None and p.purl in names)
        if not same:
            found.setdefault(p.purl, p)
    return list(found.values())
