"""Whether a version is among those that an OSV record names.

Source of the forms: the OSV schema, "affected[].versions" and "affected[].ranges[]": events are sorted by version, and
``introduced: "0"`` is before every version. Only where an order is known (SemVer 2.0 for npm and the like, PEP 440 for
PyPI) are versions compared; what cannot be compared is in no range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from packaging.version import InvalidVersion, Version

_SEMVER = re.compile(r"v?(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]*)?")
_MAX_EVENTS = 1_000
_SEMVER_TYPES = frozenset({"npm", "cargo", "golang"})
Key = Callable[[str], Any]


def named(version: str, base: str, said: Mapping[str, Any]) -> bool:
    """Whether ``said`` (``versions``: a list, ``ranges``: OSV's) names this version of the package of this purl."""
    if not version:
        return False
    if version in _texts(said.get("versions")):
        return True
    kind = base.removeprefix("pkg:").partition("/")[0]
    ranges = said.get("ranges")
    return any(
        _in_range(version, kind, one) for one in (ranges if isinstance(ranges, list) else [])[:_MAX_EVENTS]
    )


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _in_range(version: str, kind: str, told: Any) -> bool:
    events = _events(told)
    if events == [("introduced", "0")]:
        return True  # all that there are and will be: nothing needs to be compared
    key = _key(kind, told.get("type") if isinstance(told, dict) else None)
    at = None if key is None else key(version)
    if key is None or at is None or not events:
        return False
    inside = False
    for (what, _), edge in _ordered(events, key):
        if what == "introduced" and (edge is None or at >= edge):
            inside = True
        elif edge is None:
            continue
        elif (what == "fixed" and at >= edge) or (what == "last_affected" and at > edge):
            inside = False
    return inside


def _ordered(events: Sequence[tuple[str, str]], key: Key) -> list[tuple[tuple[str, str], Any]]:
    """Events with their keys, None (first) for the beginning; those that have no key are left out."""
    begin = [(e, None) for e in events if e == ("introduced", "0")]
    rest = [(e, key(e[1])) for e in events if e != ("introduced", "0")]
    return [*begin, *sorted((pair for pair in rest if pair[1] is not None), key=lambda pair: pair[1])]


def _events(told: Any) -> list[tuple[str, str]]:
    found = told.get("events") if isinstance(told, dict) else None
    return [
        (what, value)
        for event in (found if isinstance(found, list) else [])[:_MAX_EVENTS]
        if isinstance(event, dict)
        for what, value in event.items()
        if what in ("introduced", "fixed", "last_affected") and isinstance(value, str)
    ]


def _key(kind: str, range_type: Any) -> Key | None:
    if kind == "pypi":
        return _pep440
    return _semver if kind in _SEMVER_TYPES or range_type == "SEMVER" else None


def _pep440(text: str) -> Version | None:
    try:
        return Version(text[:200])
    except InvalidVersion:
        return None


def _semver(text: str) -> tuple[Any, ...] | None:
    """SemVer's order, section 11: a release is above its pre-releases; numbers are below words."""
    hit = _SEMVER.fullmatch(text)
    if hit is None:
        return None
    numbers = tuple(int(part) for part in hit.groups()[:3])
    if hit[4] is None:
        return (*numbers, 1, ())
    words = tuple((0, int(w), "") if w.isdigit() and len(w) < 19 else (1, 0, w) for w in hit[4].split("."))
    return (*numbers, 0, words)
