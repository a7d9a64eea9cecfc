"""What only the build of a package in the project's own folders says that it needs: asked for once it was built.

Such a package (a setup.py that computes, dependencies that a build backend fills in) is installed without what it
needs; its metadata, which the build wrote, then says what that is. The metadata is the package's own word: it may
name anything, and what it names may be asked of the registry from then on, and of nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from package_hunter.ecosystems.python.asked import RequirementSet
from package_hunter.ecosystems.python.installed import Distribution
from package_hunter.ecosystems.python.sources import BOX, Outside, Place
from package_hunter.model.text import shortened

_MAX_LINES = 500
_MAX_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one built package needs: requirement ``lines`` for a registry, their normal ``names``, and what no
    registry has (``outside``)."""

    owner: Distribution
    lines: tuple[str, ...]
    names: tuple[str, ...]
    outside: tuple[Outside, ...]
    unread: tuple[str, ...]


def of(item: Distribution, extras: str, place: Place) -> Learnt:
    """What its metadata names, with the ``extras`` (as in ``[a,b]``) that it was asked for with."""
    found = RequirementSet(place=place)
    wanted = [text for text in extras.strip("[]").replace(" ", "").split(",") if text]
    for line in item.asks[:_MAX_LINES]:
        text = _without_extra(line[:_MAX_LINE], wanted)
        if text:
            found.add(text)
    more = len(item.asks) - _MAX_LINES
    unread = (
        [f"{shortened(item.name)} names {more} more dependencies, which were not scanned."]
        if more > 0
        else []
    )
    local = [Outside(one.name, one.path, "it was not known before the build") for one in found.local.values()]
    return Learnt(item, tuple(found.lines), tuple(found.names), (*found.outside, *local), tuple(unread))


def _without_extra(line: str, extras: Sequence[str]) -> str:
    """The requirement; one that belongs to an extra without its marker, and only where that extra is wanted."""
    if "extra" not in line.partition(";")[2]:
        return line
    try:
        said = Requirement(line)
        if said.marker is None or not any(said.marker.evaluate({**BOX, "extra": extra}) for extra in extras):
            return ""
    except (InvalidRequirement, ValueError, KeyError, RecursionError):
        return ""
    said.marker = None
    return str(said)
