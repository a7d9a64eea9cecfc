"""How many approvals changes take, at a place and below it.

``{"approvals": 2, "days": 14, "kinds": {"rule-set": 3}}``; all of it is optional."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.governance.proposals.settings import (
    DAYS,
    KIND,
    MAX_APPROVALS,
    MAX_DAYS,
    ApprovalSettings,
    effective,
    of_document,
)
from package_hunter.store import documents, history
from package_hunter.store.history import Change
from package_hunter.store.members import Place

_KEYS = {"approvals", "days", "kinds"}


class ApprovalSettingsKind:
    """See `ChangeKind`."""

    name = KIND
    what = "how many approvals changes take"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """Refused where more approvals were asked for than there are other people to give them."""
        if not isinstance(document, dict) or set(document) - _KEYS:
            raise UsageError("Approval settings have the keys approvals, days and kinds.", "Correct them.")
        kinds = document.get("kinds", {})
        if not isinstance(kinds, dict):
            raise UsageError("kinds says a number for each kind of change.", 'Write {"rule-set": 2}.')
        from package_hunter.governance.proposals.kinds import KINDS

        if unknown := set(kinds) - set(KINDS):
            raise UsageError(
                f"There is no kind of change {min(unknown)[:40]!r}.", f"Kinds: {', '.join(KINDS)}."
            )
        wanted = {
            "approvals": _number(document.get("approvals", 1), "approvals", MAX_APPROVALS),
            "days": _number(document.get("days", DAYS), "days", MAX_DAYS),
            "kinds": {kind: _number(kinds[kind], f"kinds.{kind}", MAX_APPROVALS) for kind in sorted(kinds)},
        }
        _require_people(session, place, of_document(wanted))
        return Wanted(wanted, f"approvals at {place.name}: {wanted['approvals']}")

    def base(self, session: Session, place: Place, _wanted: Wanted) -> Any:
        """Those of the place itself."""
        return documents.value(session, KIND, place.key)

    def impact(self, session: Session, place: Place, wanted: Wanted, _budget: Budget) -> Impact:
        """No scan is decided otherwise by it: it says who can still approve."""
        count = len(people.approvers(session, place))
        was, now = effective(session, place), of_document(wanted.document)
        return Impact(
            "scans",
            0,
            0,
            effects=(
                f"{count} people may approve there; a change takes up to {now.most} of them (before: {was.most}), "
                "its author not counted.",
            ),
        )

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """Open proposals take at least as many from now on."""
        before = self.base(session, place, wanted)
        documents.put(session, KIND, place.key, "", wanted.document, act.by)
        project = None if place.project is None else place.project.id
        change = Change("approval-settings.put", place.name, before, wanted.document, act.why, project)
        history.record(session, act.by, change)


def _number(value: object, key: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise UsageError(f"{key} is no whole number from 1 to {most}.", "Correct it.")
    return value


def _require_people(session: Session, place: Place, wanted: ApprovalSettings) -> None:
    """One of those who may approve may be the author: so many must be left beside him."""
    others = len(people.approvers(session, place)) - 1
    if wanted.most > max(others, 1):
        raise UsageError(
            f"A change would take {wanted.most} approvals, and only {max(others, 0)} other people may approve at "
            f"{place.name}: nothing could be changed there any more.",
            "Give more people the permission first.",
        )
