"""Which state reaches a finding: the nearest that was set, of its project, of the groups above it, of all."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.store.finding_tables import FindingRow, StateRow, StateVersionRow
from package_hunter.store.members import Place
from package_hunter.triage import telling
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.chain import keys
from package_hunter.triage.decide import Held
from package_hunter.triage.values import Asks, State

_AT_ONCE = 400  # fingerprints in one query


def rows(session: Session, chain: Sequence[Place], fingerprints: Iterable[str]) -> dict[str, StateRow]:
    """The nearest state of each fingerprint that has one; ``chain`` is the widest first."""
    wanted, order = list(fingerprints), {key: rank for rank, key in enumerate(keys(chain))}
    nearest: dict[str, StateRow] = {}
    for begin in range(0, len(wanted), _AT_ONCE):
        query = select(StateRow).where(
            StateRow.place.in_(order), StateRow.fingerprint.in_(wanted[begin : begin + _AT_ONCE])
        )
        for row in session.scalars(query):
            known = nearest.get(row.fingerprint)
            if known is None or order[row.place] > order[known.place]:
                nearest[row.fingerprint] = row
    return nearest


def held_of(row: StateRow) -> Held:
    """As the decision needs it."""
    until = None if row.until is None else dt.date.fromisoformat(row.until)
    end = f", until {row.until}" if row.until else ""
    words = row.remark or (row.reason or row.state).replace("_", " ")
    return Held(
        State(row.state),
        f"{row.state.replace('_', ' ')}: {words} ({row.who}{end})",
        until,
        row.proposal is not None,
        None if row.behaviour is None else Behaviour.from_json(row.behaviour),
    )


def held(session: Session, chain: Sequence[Place], fingerprints: Iterable[str]) -> Mapping[str, Held]:
    """What `triage.decide.result` takes."""
    return {mark: held_of(row) for mark, row in rows(session, chain, fingerprints).items()}


def restate(session: Session, chain: Sequence[Place], findings: Sequence[FindingRow], day: dt.date) -> None:
    """Work out anew which state counts for these findings of one project; who is told of such things, is told."""
    reaching = rows(session, chain, [f.fingerprint for f in findings])
    for finding in findings:
        row = reaching.get(finding.fingerprint)
        asks = None if row is None else _asks(row, finding, day)
        finding.state = State.NEEDS_TRIAGE.value if row is None or asks is not None else row.state
        finding.asks = None if asks is None else asks.value
        finding.place = None if row is None else row.place
        finding.until = None if row is None else row.until
    if findings:
        telling.tell(session, findings, reaching)


def _asks(row: StateRow, finding: FindingRow, day: dt.date) -> Asks | None:
    known = held_of(row)
    if known.state is State.NEEDS_TRIAGE:
        return None
    if known.until is not None and known.until < day:
        return Asks.EXPIRED
    if known.behaviour is not None and grown(known.behaviour, Behaviour.from_json(finding.behaviour)):
        return Asks.CHANGED
    back = known.state is State.RESOLVED and finding.detected and finding.last_seen > row.time
    return Asks.BACK if back else None


def version(session: Session, chain: Sequence[Place], day: dt.date) -> str:
    """What the states of a project are known by: another after each change, and after each day that ends one."""
    places = keys(chain)
    found = dict(
        session.execute(
            select(StateVersionRow.place, StateVersionRow.version).where(StateVersionRow.place.in_(places))
        ).all()
    )
    running = session.scalar(
        select(func.count())
        .select_from(StateRow)
        .where(StateRow.place.in_(places), StateRow.state == State.ACCEPTED.value)
        .where(StateRow.until >= day.isoformat())
    )
    said = [*(f"{place}={found.get(place, 0)}" for place in places), f"running={running}"]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def bump(session: Session, place: str) -> None:
    """A state in this place (or something that states are worked out from) was changed."""
    row = session.get(StateVersionRow, place)
    if row is None:
        session.add(StateVersionRow(place=place, version=1))
    else:
        row.version += 1
    session.flush()


def findings_with(
    session: Session, fingerprint: str, projects: Sequence[uuid.UUID] | None
) -> Sequence[FindingRow]:
    """The findings of this fingerprint in these projects (None: in all)."""
    query = select(FindingRow).where(FindingRow.fingerprint == fingerprint)
    found = session.scalars(query.order_by(FindingRow.id)).all()
    wanted = None if projects is None else set(projects)
    return [row for row in found if wanted is None or row.project_id in wanted]
