"""Commits that the service fetches by itself: asked for, fetched one after the other, scanned."""

from __future__ import annotations

import uuid

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import HunterError, UnreachableError, UsageError
from package_hunter.governance.gate import clone, origins
from package_hunter.governance.gate.forges import Forges
from package_hunter.governance.gate.git import NotFetchedError
from package_hunter.governance.gate.origins import Known, Origin, Witness
from package_hunter.model.priority import Priority
from package_hunter.queue import capabilities
from package_hunter.queue.base import Queue, Terms
from package_hunter.storage.incoming import Incoming
from package_hunter.store import archives, scans
from package_hunter.store.access_tables import Project
from package_hunter.store.archives import Archives
from package_hunter.store.artefacts import Claims
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.gate_tables import Fetch, Repository
from package_hunter.store.scans import NewScan, clean_text

log = structlog.get_logger(__name__)

LEASE_MS = 1_800_000
"""So long a commit that is being fetched is nobody else's: longer than git may take."""
_DELAYS_MS = (30_000, 300_000, 1_800_000)
MAX_WAITING = 100
"""Of one project."""


def ask(session: Session, project: Project, origin: Origin, by: str) -> Fetch:
    """Have a commit fetched and scanned; the same again while one waits. UsageError where the project has no
    repository,
    or too many wait."""
    if session.get(Repository, project.id) is None:
        raise UsageError(
            f"It is not known where {project.path!r} has its repository.",
            "Whoever runs the server says it: package-hunter gate repository.",
        )
    waiting = select(Fetch).where(Fetch.project_id == project.id, Fetch.status == "waiting")
    rows = session.scalars(waiting).all()
    same = next((row for row in rows if row.commit == origin.commit), None)
    if same is not None:
        return same
    if len(rows) >= MAX_WAITING:
        raise UsageError(f"{len(rows)} commits of this project wait to be fetched.", "Try again later.")
    row = Fetch(
        id=uuid.uuid4(),
        project_id=project.id,
        commit=origin.commit,
        ref=origin.ref,
        merge_request=origin.merge_request,
        base=origin.base,
        asked_by=clean_text(by, 128),
        created=now_ms(),
        due=now_ms(),
        attempts=0,
        status="waiting",
    )
    session.add(row)
    session.flush()
    return row


class Fetcher:
    """Fetches what is asked for. Made by whoever may read the host's credentials."""

    def __init__(self, settings: Settings, store: Store, queue: Queue, forges: Forges) -> None:
        self._settings, self._store, self._queue, self._forges = settings, store, queue, forges
        self._archives = Archives(settings, store)

    def step(self) -> bool:
        """Fetch one commit that is due; whether there was one. StoreError."""
        row = self._claim()
        if row is None:
            return False
        try:
            self._fetch(row)
        except StoreError:
            raise
        except HunterError as error:
            self._failed(row, error)
        return True

    def _claim(self) -> Fetch | None:
        query = select(Fetch).where(Fetch.status == "waiting", Fetch.due <= now_ms()).order_by(Fetch.due)
        with self._store.read() as session:  # an idle fetcher takes no write lock
            if session.scalar(query.limit(1)) is None:
                return None
        with self._store.write() as session:
            row = session.scalar(query.limit(1).with_for_update(skip_locked=True))
            if row is None:
                return None
            row.attempts, row.due = row.attempts + 1, now_ms() + LEASE_MS
            if row.attempts > len(_DELAYS_MS) + 1:  # each time the process that fetched died
                row.status, row.reason = "failed", "No try of it came to its end."
                return None
            return row

    def _fetch(self, row: Fetch) -> None:
        with self._store.read() as session:
            repository = session.get(Repository, row.project_id)
        if repository is None:
            raise NotFetchedError("The project has no repository any more.")
        forge = self._forges.of(repository.url)
        upload = self._archives.begin()
        try:
            tree = clone.fetch(self._settings, forge, repository.url, row.commit, upload.write)
            upload.done()
            self._keep(row, upload, forge.name, tree.gaps)
        finally:
            upload.discard()
        log.info("commit fetched", project=str(row.project_id), commit=row.commit, files=tree.files)

    def _keep(self, row: Fetch, upload: Incoming, forge: str, gaps: str | None) -> None:
        claims, taken = self._archives.keep(upload), False
        try:
            taken = self._submit(row, upload, claims, forge, gaps)
        finally:
            if not taken:
                self._archives.forget(claims, upload)

    def _submit(self, row: Fetch, upload: Incoming, claims: Claims, forge: str, gaps: str | None) -> bool:
        with self._store.write() as session:
            current = session.get(Fetch, row.id, with_for_update=True)
            if current is None or current.attempts != row.attempts or current.status != "waiting":
                return False  # somebody else took it up meanwhile
            name = f"commit {row.commit[:12]}"
            new = NewScan(name, row.asked_by, None, upload.sha256, upload.size, project=row.project_id)
            scan = scans.add(session, new)
            archives.note(session, scan, claims)
            origin = Origin(row.commit, row.ref, row.merge_request, row.base)
            origins.note(
                session, scan, origin, Witness(Known.FETCHED, f"The service fetched it from {forge}."), gaps
            )
            urgent = Priority.NORMAL if row.merge_request is None else Priority.MERGE_REQUEST
            self._queue.enqueue(session, scan.id, Terms(urgent, needs=capabilities.of_scan(scan)))
            current.status, current.scan_id, current.reason = "done", scan.id, None
        return True

    def _failed(self, row: Fetch, error: HunterError) -> None:
        again = isinstance(error, UnreachableError) and row.attempts <= len(_DELAYS_MS)
        log.warning("commit not fetched", project=str(row.project_id), commit=row.commit, error=str(error))
        with self._store.write() as session:
            current = session.get(Fetch, row.id, with_for_update=True)
            if current is None or current.attempts != row.attempts:
                return
            current.reason = clean_text(error.message, 2_000)
            if again:
                current.due = now_ms() + _DELAYS_MS[row.attempts - 1]
            else:
                current.status = "failed"


def of_commit(session: Session, project: uuid.UUID, commit: str) -> Fetch | None:
    """The last time that it was asked for."""
    query = select(Fetch).where(Fetch.project_id == project, Fetch.commit == commit)
    return session.scalar(query.order_by(Fetch.created.desc()).limit(1))
