"""What policies and states make of stored scans: kept beside them, and worked out anew where it is no longer true.

A row is good while its ``basis`` is what the policies and states of its project come to. Whoever asks gets what
`triage.decide.result` says now, from the row where that is good, else worked out; `refresh` keeps rows good.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.governance import policies
from package_hunter.governance.document import Document
from package_hunter.model import wire
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.decide import today
from package_hunter.policy.layers import Effective
from package_hunter.policy.model import Policy
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import FindingRow, OccurrenceRow, ScanResultRow
from package_hunter.triage import held
from package_hunter.triage.chain import Chains
from package_hunter.triage.decide import Held, Outcome, Result, Seen, result
from package_hunter.triage.held import PlaceStates
from package_hunter.triage.stored import seen_in


class Standing:
    """What holds in projects on one day, looked up once each: one object a transaction."""

    def __init__(
        self,
        session: Session,
        day: dt.date | None = None,
        instead: Mapping[str, Document | None] | None = None,
    ) -> None:
        """``instead``: documents of policies by `Place.key`, as though they stood."""
        self.session, self.day = session, day or today()
        self.chains = Chains(session)
        self._instead = instead or {}
        self._documents: dict[str, Document | None] = {}
        self._states: dict[str, PlaceStates] = {}
        self._effective: dict[uuid.UUID, Effective] = {}
        self._bases: dict[uuid.UUID, str] = {}

    def ahead(self, projects: Collection[uuid.UUID]) -> None:
        """Look up what holds in these at once: a page of a list has as many projects as rows."""
        self.chains.ahead(projects)
        places = {place.key for project in projects for place in self.chains.of(project)}
        if missing := places - self._documents.keys():
            found = policies.documents(self.session, missing)
            self._documents |= {place: found.get(place) for place in missing} | dict(self._instead)
        if missing := places - self._states.keys():
            self._states |= held.versions(self.session, missing, self.day)

    def effective(self, project: uuid.UUID) -> Effective:
        """The policies that hold for a project."""
        if project not in self._effective:
            self.ahead([project])
            self._effective[project] = policies.layered(self.chains.of(project), self._documents)
        return self._effective[project]

    def basis(self, project: uuid.UUID) -> str:
        """What results in this project are known by: policy and states."""
        if project not in self._bases:
            policy = self.effective(project).key(self.day)
            said = f"{policy}:{held.version(self.chains.of(project), self._states)}"
            self._bases[project] = hashlib.sha256(said.encode()).hexdigest()
        return self._bases[project]

    def held(self, marks: Mapping[uuid.UUID, Collection[str]]) -> dict[uuid.UUID, dict[str, Held]]:
        """The states that reach these findings (by fingerprint) of these projects."""
        self.chains.ahead(marks)
        wanted = {project: (self.chains.of(project), some) for project, some in marks.items()}
        found = held.rows_of(self.session, wanted)
        return {
            project: {mark: held.held_of(row) for mark, row in some.items()}
            for project, some in found.items()
        }


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stored scan, ready to be judged: its findings in the order of their fingerprints, the states that reach them,
    what the scanned project's own file said."""

    row: ScanResultRow
    found: Sequence[Seen]
    held: Mapping[str, Held]
    own: Policy | None


def load(standing: Standing, rows: Sequence[ScanResultRow]) -> Iterator[Loaded]:
    """Of these scans what is needed to judge them, many at a time."""
    for some in batches(rows):
        seen = _seen(standing, [row.scan_id for row in some])
        marks: dict[uuid.UUID, set[str]] = {}
        for row in some:
            marks.setdefault(row.project_id, set()).update(s.facts.fingerprint for s in seen[row.scan_id])
        held_in = standing.held(marks)
        standing.ahead(marks)
        for row in some:
            own = None if row.own is None else wire.from_bytes(Policy, row.own.encode())
            yield Loaded(row, seen[row.scan_id], held_in[row.project_id], own)


def _seen(standing: Standing, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Seen]]:
    query = (
        select(OccurrenceRow, FindingRow.first_seen)
        .join(
            FindingRow,
            (FindingRow.fingerprint == OccurrenceRow.fingerprint)
            & (FindingRow.project_id == OccurrenceRow.project_id),
        )
        .where(OccurrenceRow.scan_id.in_(ids))
        .order_by(OccurrenceRow.scan_id, OccurrenceRow.fingerprint)
    )
    found: dict[uuid.UUID, list[Seen]] = {key: [] for key in ids}
    for occurrence, first in standing.session.execute(query):
        found[occurrence.scan_id].append(seen_in(occurrence, first, standing.day))
    return found


def judge(standing: Standing, scan: Loaded, states: Mapping[str, Held] | None = None) -> Result:
    """What policies and states make of a stored scan. ``states``: these by fingerprint, beside or in place of what
    stands."""
    reaching = {**scan.held, **states} if states else scan.held
    effective = standing.effective(scan.row.project_id)
    return result(scan.found, effective, reaching, scan.row.incomplete, standing.day, scan.own)


def store(session: Session, row: ScanResultRow, standing: Standing | None = None) -> Result:
    """Work a scan's result out and keep it."""
    standing = standing or Standing(session)
    [loaded] = load(standing, [row])
    return _keep(standing, loaded)


def _keep(standing: Standing, loaded: Loaded) -> Result:
    row, made = loaded.row, judge(standing, loaded)
    row.basis = standing.basis(row.project_id)
    row.verdict, row.decision = made.verdict.value, made.decision.value
    row.outcomes = json.dumps([asdict(outcome) for outcome in made.outcomes], separators=(",", ":"))
    standing.session.merge(row)
    standing.session.flush()
    return made


def of_scans(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Result]:
    """The results of these scans as they are now; without those that have none."""
    standing = Standing(session)
    found: dict[uuid.UUID, Result] = {}
    for part in batches(ids):
        query = select(ScanResultRow).where(ScanResultRow.scan_id.in_(part))
        rows = session.scalars(query).all()
        standing.ahead({row.project_id for row in rows})
        stale = [row for row in rows if row.basis != standing.basis(row.project_id)]
        found |= {row.scan_id: kept(row) for row in rows if row not in stale}
        found |= {one.row.scan_id: judge(standing, one) for one in load(standing, stale)}
    return found


def kept(row: ScanResultRow) -> Result:
    """What a row says."""
    outcomes = tuple(
        Outcome(
            data["fingerprint"],
            Decision(data["decision"]),
            data["silenced"],
            data["rule"],
            tuple(data["warned"]),
            tuple(data["logged"]),
        )
        for data in json.loads(row.outcomes)
    )
    return Result(Verdict(row.verdict), Decision(row.decision), outcomes)


def refresh(session: Session, most: int) -> int:
    """Work out anew up to ``most`` results that are no longer true; how many those were."""
    standing, done = Standing(session), 0
    pairs = session.execute(select(ScanResultRow.project_id, ScanResultRow.basis).distinct()).all()
    standing.ahead({project for project, _ in pairs})
    for project, basis in pairs:
        if done >= most or basis == standing.basis(project):
            continue
        stale = (ScanResultRow.project_id == project) & (ScanResultRow.basis == basis)
        rows = session.scalars(select(ScanResultRow).where(stale).limit(most - done)).all()
        for loaded in load(standing, rows):
            _keep(standing, loaded)
        done += len(rows)
    return done
