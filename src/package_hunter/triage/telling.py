"""Teams are told of a finding once it is proof, once it is settled, and once what settled it holds no more: in the
transaction in which that happens, whether by a scan, by a person, or by a day that is over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.notices import outbox
from package_hunter.notices.outbox import Event, Notice
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.notice_tables import ToldRow
from package_hunter.triage.values import Asks, State

_SETTLED = frozenset({State.ACCEPTED.value, State.FALSE_POSITIVE.value, State.RESOLVED.value})
_BLAMED = {"certain": "certain", "likely": "likely", "tree": "somewhere in the dependency tree"}
_WHY_AGAIN = {
    Asks.EXPIRED.value: "What accepted it has run out.",
    Asks.CHANGED.value: "It does now what it did not do when it was looked at.",
    Asks.BACK.value: "It had been resolved, and a later scan found it again.",
}


def tell(session: Session, findings: Sequence[FindingRow], reaching: Mapping[str, StateRow]) -> None:
    """Tell what changed of these findings of one project; ``reaching`` are the states that reach them."""
    told = _told(session, findings)
    for finding in findings:
        before, settled = told.get(finding.fingerprint), finding.state in _SETTLED
        if before is None:
            if finding.proof and not settled:
                _say(session, Event.PROOF_FOUND, finding, _found(finding))
            if finding.proof or settled:
                session.add(_row(finding, not settled))
        elif before.open and settled:
            _say(
                session, Event.FINDING_RESOLVED, finding, _settled(finding, reaching.get(finding.fingerprint))
            )
            before.open = False
        elif not before.open and not settled:
            _again(session, finding, before)


def _again(session: Session, finding: FindingRow, before: ToldRow) -> None:
    """What was settled is open: told where it is proof, or was accepted until a day that is over."""
    if finding.asks == Asks.EXPIRED.value:
        _say(session, Event.ACCEPTANCE_EXPIRES, finding, _expired(finding))
        before.open = True
    elif finding.proof:
        _say(session, Event.PROOF_FOUND, finding, _found(finding))
        before.open = True
    else:
        session.delete(before)


def _told(session: Session, findings: Sequence[FindingRow]) -> dict[str, ToldRow]:
    marks = [finding.fingerprint for finding in findings]
    return {
        row.fingerprint: row
        for some in batches(marks)
        for row in session.scalars(
            select(ToldRow).where(
                ToldRow.project_id == findings[0].project_id,
                ToldRow.fingerprint.in_(some),
            )
        )
    }


def _row(finding: FindingRow, is_open: bool) -> ToldRow:
    return ToldRow(project_id=finding.project_id, fingerprint=finding.fingerprint, open=is_open)


def _say(session: Session, event: Event, finding: FindingRow, notice: Notice) -> uuid.UUID:
    return outbox.enqueue(session, event, finding.project_id, notice)


def _notice(finding: FindingRow, what: str, how: str, todo: str) -> Notice:
    who = finding.package or "It is not known which package."
    if finding.package and finding.confidence in _BLAMED:
        who += f" (blame: {_BLAMED[finding.confidence]})"
    facts = {
        "fingerprint": finding.fingerprint,
        "kind": finding.kind,
        "package": finding.package or None,
        "proof": finding.proof,
        "state": finding.state,
        "asks": finding.asks,
        "scan": str(finding.last_scan),
    }
    return Notice(
        what,
        who,
        how,
        todo,
        f"/api/v1/scans/{finding.last_scan}/report?format=html",
        finding.fingerprint,
        facts,
    )


def _found(finding: FindingRow) -> Notice:
    again = _WHY_AGAIN.get(finding.asks or "", "")
    how = f"It was run in a sealed box, and did what no honest program does ({finding.kind})."
    todo = (
        "Do not install it. Treat each machine and job that did as robbed, and rotate the secrets that the report "
        "names. Then confirm the finding, or propose a waiver."
    )
    return _notice(finding, _line(finding.title), f"{how} {again}".strip(), todo)


def _expired(finding: FindingRow) -> Notice:
    what = f"{_line(finding.title)} This had been accepted until {finding.until}, and that is over."
    how = f"The acceptance ran out; the finding ({finding.kind}) counts again."
    return _notice(finding, what, how, "Accept it anew with a reason, or have it mended.")


def _settled(finding: FindingRow, row: StateRow | None) -> Notice:
    by = "somebody" if row is None else row.who
    why = "" if row is None else row.remark or (row.reason or "").replace("_", " ")
    state = finding.state.replace("_", " ")
    what = f"{_line(finding.title)} {by} set it to “{state}”{f': {why}' if why else ''}"
    return _notice(finding, _line(what), "A person decided; the history has it.", "Nothing, if you agree.")


def _line(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
