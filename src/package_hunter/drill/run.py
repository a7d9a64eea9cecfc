"""A drill from its submission to the gate's word, and until a person decided."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.view import DRILL
from package_hunter.config import Settings
from package_hunter.drill import finding, package
from package_hunter.drill.tell import tell_failure
from package_hunter.governance.gate import origins, record
from package_hunter.governance.gate.answer import Gate
from package_hunter.governance.gate.origins import Known, Origin, Witness
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus
from package_hunter.queue import capabilities
from package_hunter.queue.base import Queue, Terms
from package_hunter.storage.incoming import Incoming
from package_hunter.store import archives, drill_place, history, scans
from package_hunter.store.archives import Archives
from package_hunter.store.artefacts import Claims
from package_hunter.store.database import Store, now_ms
from package_hunter.store.history import Change
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.models import Scan
from package_hunter.store.places import TakenError
from package_hunter.store.scans import NewScan
from package_hunter.store.watching_tables import DrillRow

log = structlog.get_logger(__name__)

SUBMITTER = "drill:standing"
"""Nobody's account: names have no colon."""
RUNNING, PROVEN, FAILED = "running", "proven", "failed"
_DAY_MS = 86_400_000


def after_result(session: Session, scan: Scan, report: Report) -> None:
    """A step of `store.results.AFTER_RESULT`, after those of triage: where the scan is a drill's, ask the gate at once
    whether its commit may go on. So what is measured is when the first who asked would have been told."""
    if scan.project_id != DRILL:
        return
    row = session.scalar(select(DrillRow).where(DrillRow.scan_id == scan.id))
    if row is None or row.blocked is not None or report.status is ScanStatus.FAILED:
        return
    project = drill_place.project(session, _standing())
    answer = record.ask(session, project, row.commit, SUBMITTER, DepthName.STANDARD.value)
    row.fingerprint = finding.of(report, package.name_of(row.id))
    if answer.result != Gate.BLOCK.value:
        if row.state == RUNNING:
            _failed(session, row, f"The gate said “{answer.result}” of the drill's commit, and not “block”.")
        return
    row.blocked = now_ms()
    if row.state == RUNNING and row.blocked <= row.deadline and row.fingerprint is not None:
        row.state = PROVEN
    elif row.state == RUNNING and row.fingerprint is None:
        _failed(session, row, "The gate blocks, but no finding of proof names the drill's package.")
    log.info("drill blocked", drill=str(row.id), seconds=(row.blocked - row.begun) / 1000, state=row.state)


class Drills:
    """Begins drills and watches over them."""

    def __init__(self, settings: Settings, store: Store, queue: Queue) -> None:
        self._settings, self._store, self._queue = settings, store, queue
        self._archives = Archives(settings, store)

    def begin(self, by: Actor) -> DrillRow:
        """Submit one now; TakenError while one runs, UsageError where there is no place for it."""
        key = uuid.uuid4()
        upload = self._archives.begin()
        try:
            upload.write(package.archive(key))
            upload.done()
            row = self._keep(key, upload, by)
        finally:
            upload.discard()
        log.info("drill begun", drill=str(key), scan=str(row.scan_id))
        return row

    def _keep(self, key: uuid.UUID, upload: Incoming, by: Actor) -> DrillRow:
        claims, row = self._archives.keep(upload), None
        try:
            with self._store.write() as session:
                row = self._submit(session, key, upload, claims, by)
            return row
        finally:
            if row is None:
                self._archives.forget(claims, upload)

    def _submit(
        self, session: Session, key: uuid.UUID, upload: Incoming, claims: Claims, by: Actor
    ) -> DrillRow:
        hold(session, FINDINGS)
        last = newest(session)
        if last is not None and last.state == RUNNING:
            raise TakenError("A drill runs already.", "Look at it: package-hunter drill status.")
        project = drill_place.project(session, by)
        if last is not None and last.decided is None:
            finding.close(session, _standing(), project, last)
        scan = scans.add(session, _scan(upload))
        archives.note(session, scan, claims)
        commit = key.hex + "0" * 8  # of the form of a commit's name, and no commit's
        how = Witness(Known.FETCHED, "A drill: the server made this tree and this commit up itself.")
        origins.note(session, scan, Origin(commit), how)
        self._queue.enqueue(session, scan.id, Terms(needs=capabilities.of_scan(scan)))
        now = now_ms()
        deadline = now + int(self._settings.drill_deadline_seconds * 1000)
        row = DrillRow(
            id=key,
            begun=now,
            deadline=deadline,
            by=by.name[:128],
            scan_id=scan.id,
            commit=commit,
            state=RUNNING,
        )
        session.add(row)
        session.flush()
        change = Change("drill.run", project.path, after={"scan": str(scan.id)}, project=DRILL)
        history.record(session, by, change)
        return row

    def step(self) -> bool:
        """What is to be done now: end one that is late, note who decided, begin one that is due. A chore's run."""
        with self._store.read() as session:
            last = newest(session)
            watched = [row for row in _watched(session) if _wants_look(session, row)]
            begins = last is None or last.state != RUNNING
            begins = begins and due(session, self._settings, last)
        if watched:
            with self._store.write() as session:
                hold(session, FINDINGS)
                for row in _watched(session):
                    _look(session, row)
        if begins:
            self.begin(_standing())
        return False


def newest(session: Session) -> DrillRow | None:
    """The drill that was begun last."""
    return session.scalar(select(DrillRow).order_by(DrillRow.begun.desc()).limit(1))


def due(session: Session, settings: Settings, last: DrillRow | None) -> bool:
    """Whether another drill is to be begun by itself. The first comes once the server has worked for so long: a new one
    has more urgent things to do."""
    if settings.drill_days <= 0:
        return False
    since = _working_since(session) if last is None else last.begun
    return since is not None and now_ms() - since >= settings.drill_days * _DAY_MS


def _working_since(session: Session) -> int | None:
    """When the oldest scan was submitted that came to a result here; None: there is none, so maybe no worker either."""
    query = select(Scan.created).where(Scan.status == ScanStatus.FINISHED.value).order_by(Scan.created)
    return session.scalar(query.limit(1))


def _scan(upload: Incoming) -> NewScan:
    """Quick: what is drilled is the way that every scan goes; how far scans look is measured elsewhere."""
    return NewScan(
        target="standing drill",
        submitter=SUBMITTER,
        manager="npm",
        sha256=upload.sha256,
        size=upload.size,
        fresh=True,
        depth=DepthName.QUICK.value,
        project=DRILL,
    )


def _standing() -> Actor:
    return Actor(SUBMITTER, "standing drill")


def _watched(session: Session) -> Sequence[DrillRow]:
    """Those that run, and the newest: somebody may still decide."""
    last = newest(session)
    key = None if last is None else last.id
    query = select(DrillRow).where(or_(DrillRow.state == RUNNING, DrillRow.id == key))
    return session.scalars(query.order_by(DrillRow.begun)).all()


def _wants_look(session: Session, row: DrillRow) -> bool:
    if row.state == RUNNING:
        return _problem(session, row) is not None
    return row.decided is None and finding.decided(session, row) is not None


def _look(session: Session, row: DrillRow) -> None:
    if row.state == RUNNING:
        problem = _problem(session, row)
        if problem is not None:
            _failed(session, row, problem)
    elif row.decided is None:
        found = finding.decided(session, row)
        if found is not None:
            row.decided, row.decided_by = found


def _problem(session: Session, row: DrillRow) -> str | None:
    """Why a drill that runs can be proven no more, a sentence."""
    scan = session.get(Scan, row.scan_id)
    if scan is None:
        return "The drill's scan was deleted."
    if scan.status not in (*scans.UNFINISHED, ScanStatus.FINISHED.value):
        return f"The drill's scan is {scan.status}. {scan.reason or ''}".strip()
    if now_ms() <= row.deadline:
        return None
    minutes = max(1, round((row.deadline - row.begun) / 60_000))
    if scan.status == ScanStatus.PENDING.value:
        seen = scans.worker_seen(session) or 0
        absent = " No worker was seen for that long." if seen < row.begun else ""
        return f"No worker took the drill's scan within {minutes} minutes.{absent}"
    if scan.status == ScanStatus.RUNNING.value:
        return f"The drill's scan was not over after {minutes} minutes."
    return f"The gate did not block within {minutes} minutes."


def _failed(session: Session, row: DrillRow, why: str) -> None:
    row.state, row.said = FAILED, why
    session.flush()
    log.warning("drill failed", drill=str(row.id), why=why)
    tell_failure(session, row)
