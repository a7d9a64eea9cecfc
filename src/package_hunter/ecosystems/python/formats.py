"""Which packages are to be built from their source archives, and which taken as wheels: what the project's files say.

pip's ``--no-binary`` and ``--only-binary`` count in their order, and the later one wins for a name (pip's
``FormatControl``): the first one built is the one whose setup.py runs, so a wheel in its place would hide what it does.
uv's own words are in ``[tool.uv]`` and uv.toml (its reference of settings), Poetry's in poetry.toml (``installer``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.ecosystems.python.asked import RequirementSet, normal, read_toml
from package_hunter.ecosystems.tree import BoxTree, as_map

_OPTION = re.compile(r"--(no|only)-binary(?:\s*=\s*|\s+)(\S+)\s*")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_MOST = 2_000  # names in one option
_NO, _ONLY = "--no-binary", "--only-binary"


@dataclass(frozen=True, slots=True)
class Formats:
    """Normal names of those that come as ``sources`` and as ``wheels``; what holds for the ``rest`` ("sources",
    "wheels", or "" where either will do)."""

    sources: frozenset[str] = frozenset()
    wheels: frozenset[str] = frozenset()
    rest: str = ""

    def from_source(self, name: str) -> bool:
        """Whether a package may come from its source archive only."""
        named = normal(name)
        return named in self.sources or (self.rest == "sources" and named not in self.wheels)

    def for_pip(self, pin: str = "") -> tuple[str, ...]:
        """pip's option to build a wheel of a package (``NAME==VERSION``; none: of any) that is to come from its source:
        pip before 23.1 would run ``setup.py install`` in its place, which leaves no list of files."""
        any_source = bool(self.sources) or self.rest == "sources"
        asked = self.from_source(pin.partition("==")[0]) if pin else any_source
        return ("--use-pep517",) if asked else ()

    def for_uv(self) -> list[str]:
        """The same as options for uv, as far as it has words for it: none for all packages but some."""
        lines = [f"{_NO} {name}" for name in sorted(self.sources)]
        lines += [f"{_ONLY} {name}" for name in sorted(self.wheels)]
        if self.rest == "sources" and not self.wheels:
            lines.append(f"{_NO} :all:")
        if self.rest == "wheels" and not self.sources:
            lines.append(f"{_ONLY} :all:")
        return lines

    def job(self) -> dict[str, Any]:
        """The same for the program that resolves (resolve.py)."""
        return {"sources": sorted(self.sources), "wheels": sorted(self.wheels), "rest": self.rest}


def is_option(line: str) -> bool:
    """Whether a line of a requirement file is about formats."""
    return line.startswith((_NO, _ONLY))


def formats(lines: Iterable[str]) -> Formats:
    """What the options among the lines of requirement files come to."""
    sets: dict[str, set[str]] = {"no": set(), "only": set()}
    for hit in map(_OPTION.fullmatch, lines):
        if hit is not None:
            other = "only" if hit[1] == "no" else "no"
            _take(hit[2].split(",")[:_MOST], sets[hit[1]], sets[other])
    rest = "sources" if ":all:" in sets["no"] else "wheels" if ":all:" in sets["only"] else ""
    return Formats(frozenset(sets["no"] - {":all:"}), frozenset(sets["only"] - {":all:"}), rest)


def _take(words: list[str], these: set[str], others: set[str]) -> None:
    """One option's value, as pip takes it."""
    for word in words:
        if word == ":all:":
            others.clear()
            these.clear()
            these.add(word)
        elif word == ":none:":
            these.clear()
        elif _NAME.fullmatch(word):
            others.discard(normal(word))
            these.add(normal(word))


def of_tools(found: RequirementSet, tree: BoxTree, project: str) -> list[str]:
    """Options in pip's words, of what uv's and Poetry's settings in the project say, for their lock files and
    pyproject.toml."""
    lines: list[str] = []
    if found.source in ("uv.lock", "pyproject.toml"):
        own = as_map(as_map(read_toml(tree, f"{project}/pyproject.toml").get("tool")).get("uv"))
        lines += _of_uv(read_toml(tree, f"{project}/uv.toml") or own)
    if found.source in ("poetry.lock", "pyproject.toml"):
        installer = as_map(read_toml(tree, f"{project}/poetry.toml").get("installer"))
        lines += [*_listed(_NO, installer.get("no-binary")), *_listed(_ONLY, installer.get("only-binary"))]
    return lines


def _of_uv(settings: Mapping[str, Any]) -> Iterator[str]:
    yield from _listed(_NO, settings.get("no-binary"))
    yield from _listed(_NO, settings.get("no-binary-package"))


def _listed(option: str, value: object) -> Iterator[str]:
    """True for all, a list of names, or names with commas between."""
    if value is True:
        yield f"{option} :all:"
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    for word in words[:_MOST]:
        if isinstance(word, str) and (word in (":all:", ":none:") or _NAME.fullmatch(word)):
            yield f"{option} {word}"
