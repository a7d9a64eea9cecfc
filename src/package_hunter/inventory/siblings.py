"""Files of one release that differ in their machine code only: what is seen of one says something of the other.

A wheel for another system cannot be loaded here. Where each of its members that is no machine code is byte-equal with
one of a file that was run, its Python does what that one did; of the native rest nothing is known, and it is listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# what differs by construction, and is never loaded: a wheel's list of its members, and of its tags (PEP 427)
_LISTS = re.compile(r"[^/]+\.dist-info/(?:RECORD|WHEEL)")


@dataclass(frozen=True, slots=True)
class Members:
    """A file's members: path -> SHA-256 (hex); ``native`` are those that are machine code."""

    name: str
    version: str
    runs_here: bool
    members: Mapping[str, str]
    native: frozenset[str]


def sibling_of(file: Members, judged: Members) -> list[str] | None:
    """The native members of ``file`` of which the judged one says nothing, where the rest of both is equal; None where
    it is not, or nothing but machine code is left to compare.

    Both ways: code that the judged file has and this one lacks may be what made it harmless.
    """
    mine, theirs = _code(file), _code(judged)
    if not mine or mine != theirs:
        return None
    same = {path for path in file.native if judged.members.get(path) == file.members[path]}
    return sorted(file.native - same)


def _code(file: Members) -> dict[str, str]:
    return {
        path: digest
        for path, digest in file.members.items()
        if path not in file.native and not _LISTS.fullmatch(path)
    }
