"""How many people it takes: the approval settings of a place, and of what lies above it. The stricter one counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.store import documents
from package_hunter.store.access_tables import EVERYWHERE, Group
from package_hunter.store.members import Place
from package_hunter.store.places import above

KIND = "approval-settings"
DAYS = 14
MAX_APPROVALS, MAX_DAYS = 10, 365
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """``approvals``: how many other people, ``kinds``: where a kind of change takes more; after ``days`` a proposal
    expires."""

    approvals: int = 1
    days: int = DAYS
    kinds: Mapping[str, int] = field(default_factory=dict)

    def needed(self, kind: str) -> int:
        """How many approvals a change of this kind takes."""
        return max(self.approvals, self.kinds.get(kind, 1))

    @property
    def most(self) -> int:
        """The most that any kind takes."""
        return max(self.approvals, *self.kinds.values(), 1)


def of_document(document: Any) -> ApprovalSettings:
    """The settings that a stored document holds; None: the default."""
    if not isinstance(document, dict):
        return ApprovalSettings()
    return ApprovalSettings(document["approvals"], document["days"], dict(document["kinds"]))


def effective(session: Session, place: Place) -> ApprovalSettings:
    """What holds at a place: the stricter of its own and of all above it."""
    found = [of_document(documents.value(session, KIND, key)) for key in keys_up(session, place)]
    kinds: dict[str, int] = {}
    for one in found:
        for kind, number in one.kinds.items():
            kinds[kind] = max(number, kinds.get(kind, 1))
    return ApprovalSettings(max(s.approvals for s in found), min(s.days for s in found), kinds)


def keys_up(session: Session, place: Place) -> list[str]:
    """The keys of a place and of all above it, the nearest first, ``everywhere`` at last."""
    where = place.project or place.group
    if where is None:
        return [EVERYWHERE]
    paths = above(where.path)
    ids = {
        path: key.hex
        for path, key in session.execute(select(Group.path, Group.id).where(Group.path.in_(paths)))
    }
    return [place.key, *(ids[path] for path in paths if path in ids), EVERYWHERE]
