"""Which folders and files of site-packages are a distribution's, by the lists of files (RECORD) of all of them.

One name in front does not make one owner: namespace packages (``zope.event``, ``zope.interface``) lie in one
folder, and two wheels may bring the same file. A folder that only one distribution has anything in is its own,
with all that comes to lie there later; of one that several have, each has what its list names, and all of them
the rest. RECORD is untrusted: it may name anything.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MAX_DEPTH = 32  # of folders that are looked at
MAX_ROWS = 500_000  # of all RECORDs together; files beyond are known by their outermost folder only
_EVERYBODYS = ("__pycache__",)
_PACKAGE = "__init__.py"
_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_MODULE = re.compile(r"(?:\.py|\.(?:abi3\.|cpython-[\w-]+\.)?so)$")
_SEVERAL = -1


@dataclass(frozen=True, slots=True)
class Share:
    """What one distribution has: ``places``, absolute in the box (its own ones first), and ``modules``, the import
    names of what lies in folders that it shares or that are no package by themselves."""

    places: tuple[str, ...]
    modules: tuple[str, ...]


def shares(lists: Sequence[Sequence[str]], site: str) -> list[Share]:
    """Each distribution's share, from the rows of its RECORD (relative to ``site``)."""
    holders: dict[str, int] = {}
    for number, rows in enumerate(lists):
        for row in rows:
            for folder in _folders(row):
                if holders.setdefault(folder, number) != number:
                    holders[folder] = _SEVERAL
    return [_share(number, rows, holders, site) for number, rows in enumerate(lists)]


def _share(number: int, rows: Sequence[str], holders: dict[str, int], site: str) -> Share:
    own: dict[str, None] = {}
    together: dict[str, None] = {}
    for row in rows:
        folders = list(_folders(row))
        mine = next((folder for folder in folders if holders[folder] == number), None)
        together.update((folder, None) for folder in folders if holders[folder] == _SEVERAL)
        place = _absolute(mine or row, site)
        if place is not None:
            own[place] = None
    places = (*own, *(f"{site}/{folder}" for folder in together if folder not in own))
    return Share(places, _modules(rows, together))


def _folders(row: str) -> Iterator[str]:
    """The folders below site-packages that a row lies in, outermost first; none for what lies elsewhere."""
    parts = row.split("/")[:-1][:_MAX_DEPTH]
    if not parts or parts[0] in ("", *_EVERYBODYS) or ".." in parts or "." in parts:
        return
    folder = parts[0]
    yield folder
    for part in parts[1:]:
        folder = f"{folder}/{part}"
        yield folder


def _absolute(row: str, site: str) -> str | None:
    """Where a row lies; None where that is not in the environment, or is a folder of everybody."""
    environment = site.rsplit("/", 3)[0]
    path = posixpath.normpath(f"{site}/{row}")
    inside = path.startswith(f"{environment}/") and not row.startswith("/")
    return path if inside and not f"{site}/".startswith(f"{path}/") else None


def _modules(rows: Sequence[str], together: dict[str, None]) -> tuple[str, ...]:
    """Import names below folders that are no package of this distribution alone: the outermost package of its
    own, else the module."""
    packages = {row.rpartition("/")[0] for row in rows if row.endswith(f"/{_PACKAGE}")}
    found: dict[str, None] = {}
    for row in rows:
        folder, _, file = row.rpartition("/")
        parts = list(_folders(row))
        own = next((part for part in parts if part in packages and part not in together), None)
        if not parts or own == parts[0]:
            continue
        name = own or f"{folder}/{_MODULE.sub('', file, count=1) if file != _PACKAGE else ''}".rstrip("/")
        is_module = own is not None or _MODULE.search(file) is not None
        if is_module and all(_PART.fullmatch(part) for part in name.split("/")):
            found[name.replace("/", ".")] = None
    return tuple(found)
