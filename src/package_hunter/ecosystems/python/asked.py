"""What a Python project asks for, put together: requirement lines for a registry, and apart from them the project's
own folders and files, and what lies elsewhere (see the module ``sources``): nothing that is asked for goes by
without a word. Where an index is named (``--index-url`` and the like), that is left out: registries come from the
host's own configuration, never from what is scanned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from package_hunter.ecosystems.python import origins
from package_hunter.ecosystems.python.origins import Origin
from package_hunter.ecosystems.python.sources import Local, Outside, Place, applies, classify, from_table
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model import toml

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[\[<>=!~;@,( #])")
_OWN_OPTION = re.compile(r"\s--(?!hash[= ])\S.*?(?=\s--hash|$)")  # of a requirement line; hashes stay

_PINNED = re.compile(r"\s*[\w.-]+\s*(?:\[[^\]]*\])?\s*===?\s*[^*,\s;]+\s*(?:;|--hash|$)")


@dataclass(slots=True)
class RequirementSet:
    """Lines for pip and the names that they ask for; what the project has itself (``local``, by path) and what
    lies ``outside``; what limits the versions of whatever is taken (``constraints``); options that were left out
    (``dropped``), sentences about files that were not read (``unread``) or need not be (``beside``), and where all
    came from. ``place`` is where relative paths are looked for."""

    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    source: str = ""
    locked: bool = False  # names every package of the tree, with its version
    local: dict[str, Local] = field(default_factory=dict)
    outside: list[Outside] = field(default_factory=list)
    told: set[Outside] = field(default_factory=set)  # all of ``outside``
    unread: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    also: set[str] = field(default_factory=set)  # names that what is local may ask for while it is built
    alone: set[str] = field(default_factory=set)  # paths of what is local whose needs stand in ``lines``
    computed: set[str] = field(
        default_factory=set
    )  # paths of what is local whose build alone knows what it needs
    by_setup: set[str] = field(default_factory=set)  # paths of what is local and has a setup.py only
    by_project: set[str] = field(
        default_factory=set
    )  # paths of what is local and has a pyproject.toml to build by
    needs: dict[str, set[str]] = field(
        default_factory=dict
    )  # path of what is local -> names that it asks for
    place: Place | None = None
    indexes: list[str] = field(default_factory=list)  # that the project names for all it asks for
    origins: dict[str, Origin] = field(default_factory=dict)  # of lines of a lock file
    proven: dict[str, list[str]] = field(default_factory=dict)  # a stranger's host -> lines with digests

    @property
    def urls(self) -> list[str]:
        """Addresses of files that are asked for."""
        return [item.address.split("#", 1)[0] for item in self.outside if item.address.startswith("http")]

    @property
    def pinned(self) -> bool:
        """Whether every version was settled before: by a lock file, or line by line."""
        needs = bool(self.lines or self.needs.get("."))
        asked = [line for line in self.lines if not line.startswith("-")]
        return self.locked or not needs or (bool(asked) and all(map(_PINNED.match, asked)))

    def add(self, line: str, editable: bool = False) -> None:
        """A requirement as pip takes it."""
        line = _OWN_OPTION.sub("", line)
        found = classify(re.sub(r"\s--hash[= ].*", "", line), self.place, editable)
        name = requirement_name(line)
        if found is not None:
            self.take(found, applies(line))
        elif name is None:
            self.take(Outside("", line[:200], "it was not understood"))
        else:
            self.lines.append(line)
            self.names.append(name)

    def settle(self, known: frozenset[str]) -> None:
        """Keep the host's indexes (``known`` by their hosts) from answering for a stranger's packages: those with
        digests go to ``proven``, the others lie ``outside``."""
        lines, names = [], []
        proven: list[str] = []
        named = iter(list(self.names))
        for line in self.lines:
            name = next(named) if not line.startswith("-") else ""
            origin = self.origins.get(line, Origin())
            strange = origin.strangers(known)
            if not strange:
                lines.append(line)
                names += [name] if name else []
            elif origin.hashes:
                whole = f"{line} {' '.join(f'--hash={text}' for text in origin.hashes)}"
                self.proven.setdefault(origins.host_of(strange[0]), []).append(whole)
                proven.append(name)
            else:
                self.take(_strange(name, strange, self.place), applies(line))
        self.lines, self.names = lines, names
        self.also.update(proven)

    def strange_indexes(self, known: frozenset[str]) -> list[str]:
        """Hosts of the indexes that the project asks and this host does not: which packages those have is not
        known here. None where every line has its digest."""
        asked = [line for line in self.lines if not line.startswith("-")]
        if all("--hash" in line for line in asked):
            return []
        return list(dict.fromkeys(origins.host_of(url) for url in origins.strangers(self.indexes, known)))

    def take(self, found: Local | Outside, applies: bool = True) -> None:
        """What no registry has; nothing where it is for other systems."""
        if applies and isinstance(found, Local):
            self.local.setdefault(found.path, found)
        elif applies and isinstance(found, Outside) and found not in self.told:
            self.told.add(found)
            self.outside.append(found)

    def add_source(self, name: str, source: Mapping[str, Any], applies: bool = True) -> bool:
        """What a table says of where ``name`` comes from, in the words of any tool; False where it says nothing
        but a registry."""
        found = from_table(name, source, self.place)
        if found is not None:
            self.take(found, applies)
        return found is not None


def _strange(name: str, urls: tuple[str, ...], place: Place | None) -> Outside:
    """A package of a stranger's index, or the file there that its lock file names."""
    archive = next((url for url in urls if url.lower().endswith((".whl", ".tar.gz", ".zip"))), None)
    found = classify(f"{name} @ {archive}", place) if archive is not None else None
    if isinstance(found, Outside):
        return found
    host = origins.host_of(urls[0])
    return Outside(name, host, "this host's package manager is not set up for that index")


def normal(name: str) -> str:
    """A name in the form that PyPI compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str | None:
    """The normal name that a requirement asks for; None where it is none by name (a path, an address)."""
    hit = _NAME.match(line)
    return normal(hit[1]) if hit else None


def read_toml(tree: BoxTree, path: str) -> dict[str, Any]:
    """A file's content; ``{}`` where it is not there, or not sound."""
    raw = tree.read(path, 16 << 20)
    try:
        return toml.loads(raw.decode("utf-8", "replace")) if raw is not None else {}
    except toml.TomlError:
        return {}


def dumps(lines: list[str]) -> bytes:
    """A requirements file."""
    return ("\n".join(lines) + "\n").encode()
