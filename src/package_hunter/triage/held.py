"""Which state reaches a finding: the nearest that was set, of its project, of the groups above it, of all."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import FindingRow, StateRow, StateVersionRow
from package_hunter.store.members import Place
from package_hunter.triage import telling
from package_hunter.triage.behaviour import Behaviour, grown
from package_hunter.triage.chain import keys
from package_hunter.triage.decide import Held
from package_hunter.triage.values import Asks, State


def rows(session: Session, chain: Sequence[Place], fingerprints: Iterable[str]) -> dict[str, StateRow]:
    """The nearest state of each fingerprint that has one; ``chain`` is the widest first."""
    wanted = list(fingerprints)
    return _nearest(_set_in(session, keys(chain), wanted), chain, wanted)


def rows_of(
    session: Session, wanted: Mapping[uuid.UUID, tuple[Sequence[Place], Collection[str]]]
) -> dict[uuid.UUID, dict[str, StateRow]]:
    """The same of many projects, each with its chain and fingerprints."""
    places = list(dict.fromkeys(key for chain, _ in wanted.values() for key in keys(chain)))
    marks = list(dict.fromkeys(mark for _, some in wanted.values() for mark in some))
    found = _set_in(session, places, marks)
    return {project: _nearest(found, chain, some) for project, (chain, some) in wanted.items()}


def _set_in(
    session: Session, places: Sequence[str], fingerprints: Sequence[str]
) -> dict[str, dict[str, StateRow]]:
    """What was set in these places, by fingerprint and place."""
    found: dict[str, dict[str, StateRow]] = {}
    for some in batches(fingerprints):
        for near in batches(places):
            query = select(StateRow).where(StateRow.place.in_(near), StateRow.fingerprint.in_(some))
            for row in session.scalars(query):
                found.setdefault(row.fingerprint, {})[row.place] = row
    return found


def _nearest(
    found: Mapping[str, Mapping[str, StateRow]], chain: Sequence[Place], fingerprints: Iterable[str]
) -> dict[str, StateRow]:
    inwards = list(reversed(keys(chain)))
    nearest: dict[str, StateRow] = {}
    for mark in fingerprints:
        row = (
            next((found[mark][key] for key in inwards if key in found[mark]), None) if mark in found else None
        )
        if row is not None:
            nearest[mark] = row
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


@dataclass(frozen=True, slots=True)
class PlaceStates:
    """What the states that were set in a place are known by: another ``version`` after each change, and another
    number of ``running`` acceptances after each day that ends one."""

    version: int = 0
    running: int = 0


def versions(session: Session, places: Collection[str], day: dt.date) -> dict[str, PlaceStates]:
    """Of each of these places (`Place.key`)."""
    found: dict[str, PlaceStates] = {}
    for some in batches(places):
        changed = select(StateVersionRow.place, StateVersionRow.version)
        number = dict(session.execute(changed.where(StateVersionRow.place.in_(some))).all())
        query: Any = (
            select(StateRow.place, func.count())
            .where(StateRow.place.in_(some), StateRow.state == State.ACCEPTED.value)
            .where(StateRow.until >= day.isoformat())
            .group_by(StateRow.place)
        )
        running = dict(session.execute(query).all())
        found |= {place: PlaceStates(number.get(place, 0), running.get(place, 0)) for place in some}
    return found


def version(chain: Sequence[Place], known: Mapping[str, PlaceStates]) -> str:
    """What the states that reach a project are known by."""
    places = keys(chain)
    said = [*(f"{p}={known[p].version}" for p in places), f"running={sum(known[p].running for p in places)}"]
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
