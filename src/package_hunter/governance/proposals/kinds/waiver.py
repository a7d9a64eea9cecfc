"""A waiver: a finding that is proof, or that an enforced rule decides, counts no more in a place.

``{"fingerprint": "…", "state": "accepted", "reason": "acceptable_risk", "until": "2027-03-31", "remark": "…"}``. What
the finding does is put in by the server (``behaviour``): who approves approves that, and where it does more by the time
that it would be applied, the proposal is stale."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists
from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.governance.proposals.impact import rejudged, stored_scans
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.policy.decide import today
from package_hunter.store.finding_tables import FindingRow, OccurrenceRow, ScanResultRow, StateRow
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError
from package_hunter.triage import held, states
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.chain import keys, projects_in, scope_name
from package_hunter.triage.decide import Held, Result
from package_hunter.triage.results import Loaded, Standing, judge
from package_hunter.triage.values import Grant, NewState, Reason, State

_KEYS = {"fingerprint", "state", "reason", "remark", "until", "behaviour", "finding"}
_MAX_SHOWN = 20


class WaiverKind:
    """See `ChangeKind`."""

    name = "waiver"
    what = "that a finding counts no more"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """UsageError where reason or day are missing, MissingError where no scan in the place had the finding."""
        if not isinstance(document, Mapping) or set(document) - _KEYS:
            raise UsageError(f"A waiver has the keys {', '.join(sorted(_KEYS))}.", "See docs/proposals.md.")
        mark = document.get("fingerprint")
        if not isinstance(mark, str) or not mark:
            raise UsageError(
                "A waiver names a finding by its fingerprint.", "See the report, or findings list."
            )
        new = _new_state(document)
        found = _found(session, place, mark)
        made = {
            "fingerprint": mark,
            "state": new.state.value,
            "reason": None if new.reason is None else new.reason.value,
            "remark": new.remark,
            "until": None if new.until is None else new.until.isoformat(),
            "finding": f"{found[0].kind}: {found[0].title}",
            "behaviour": _behaviour(found),
        }
        return Wanted(made, f"{new.state.value.replace('_', ' ')} in {scope_name(place)}: {made['finding']}")

    def base(self, session: Session, place: Place, wanted: Wanted) -> Any:
        """The state that was set right there."""
        row = session.get(StateRow, (place.key, wanted.document["fingerprint"]))
        if row is None:
            return None
        return {key: value for key, value in states.said(row).items() if key != "who"}

    def impact(self, session: Session, place: Place, wanted: Wanted, budget: Budget) -> Impact:
        """All stored scans of the place that had the finding."""
        mark = wanted.document["fingerprint"]
        has = exists().where(
            OccurrenceRow.scan_id == ScanResultRow.scan_id, OccurrenceRow.fingerprint == mark
        )
        standing = Standing(session)
        new = Held(
            State(wanted.document["state"]), "as proposed", _day(wanted.document["until"]), granted=True
        )

        def then(scan: Loaded) -> Result:
            nearer = _narrower(session, standing, scan.row, place, mark)
            return judge(standing, scan, None if nearer else {mark: new})

        return rejudged(session, stored_scans(session, place).where(has), then, budget)

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """See `triage.states.set_state`."""
        document = wanted.document
        states.set_state(
            session, act.by, place, document["fingerprint"], _new_state(document), Grant(str(act.number))
        )


def _new_state(document: Mapping[str, Any]) -> NewState:
    remark = _or(document.get("remark"), "")
    if not isinstance(remark, str):
        raise UsageError("The remark is no text.", "Correct it.")
    try:
        state = State(_or(document.get("state"), State.ACCEPTED.value))
        reason = None if document.get("reason") is None else Reason(document["reason"])
        until = _day(document.get("until"))
    except (ValueError, TypeError) as error:
        raise UsageError(f"The waiver cannot be read: {error}.", "See docs/proposals.md.") from error
    if not state.silences:
        raise UsageError(f"{state.value} waives nothing.", "Use accepted or false_positive.")
    return NewState(state, reason, remark, until).check(today())


def _or(value: Any, instead: str) -> Any:
    return instead if value is None else value


def _day(text: Any) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def _found(session: Session, place: Place, mark: str) -> Sequence[FindingRow]:
    found = held.findings_with(session, mark, projects_in(session, place))
    if not found:
        raise MissingError(
            f"No scan in {scope_name(place)} had a finding {mark[:64]!r}.", "See findings list."
        )
    return found


def _behaviour(found: Sequence[FindingRow]) -> dict[str, Any]:
    """What all of these do, for people, and its digest."""
    seen = Behaviour.from_json(found[0].behaviour)
    for finding in found[1:]:
        seen = seen.with_(Behaviour.from_json(finding.behaviour))
    return {
        "severity": seen.severity,
        "proof": seen.proof,
        "forms": list(seen.forms),
        "to": list(seen.subjects[:_MAX_SHOWN]),
        "sha256": hashlib.sha256(seen.to_json().encode()).hexdigest(),
    }


def _narrower(session: Session, standing: Standing, row: ScanResultRow, place: Place, mark: str) -> bool:
    """Whether a state that was set below the place reaches the finding there, and so goes before what is proposed."""
    chain = standing.chains.of(row.project_id)
    nearest = held.rows(session, chain, [mark]).get(mark)
    order = keys(chain)
    return nearest is not None and order.index(nearest.place) > order.index(place.key)
