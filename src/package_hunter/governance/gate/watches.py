"""Commits whose forge is told how the gate stands, for as long as that may change."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.governance.gate import record
from package_hunter.governance.gate.forges import Forges
from package_hunter.governance.gate.statuses import At, NotToldError, Standing, Teller
from package_hunter.model.depth import DepthName
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.gate_tables import Repository, Watch

log = structlog.get_logger(__name__)

DAYS_MS = 30 * 86_400_000
"""So long after somebody last asked, a commit is no longer told of."""
_SOON_MS, _LATER_MS, _LATEST_MS = 3_000, 60_000, 21_600_000
_LEASE_MS = 120_000
_DELAYS_MS = (10_000, 60_000, 600_000, 3_600_000)


def watch(
    session: Session,
    project: uuid.UUID,
    commit: str,
    ref: str | None = None,
    merge_request: str | None = None,
) -> None:
    """Have the project's forge told of this commit from now on; nothing where it has no repository."""
    if session.get(Repository, project) is None:
        return
    now = now_ms()
    values = {
        "project_id": project,
        "commit": commit,
        "ref": ref,
        "merge_request": merge_request,
        "due": now,
        "until": now + DAYS_MS,
        "attempts": 0,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    made = dialect.insert(Watch).values(values)
    again: dict[str, object] = {"until": now + DAYS_MS, "due": now, "attempts": 0}
    if ref is not None:
        again["ref"] = ref
    if merge_request is not None:
        again["merge_request"] = merge_request
    session.execute(made.on_conflict_do_update(index_elements=["project_id", "commit"], set_=again))


def is_armed(session: Session, project: uuid.UUID, commit: str) -> bool:
    """Whether its forge is told of it soon anyway, or there is none to tell."""
    if session.get(Repository, project) is None:
        return True
    row = session.get(Watch, (project, commit))
    return row is not None and row.due <= now_ms() + _LATER_MS and row.until > now_ms() + DAYS_MS // 2


def _pause(row: Watch) -> int:
    """Until the next look, in ms: the longer ago somebody asked, the longer (what people decide later is told then)."""
    return min(max(_LATER_MS, (now_ms() - (row.until - DAYS_MS)) // 8), _LATEST_MS)


@dataclass(frozen=True, slots=True)
class _Task:
    watch: Watch
    repository: Repository
    body: dict[str, object]
    digest: str


class Watcher:
    """Looks at what is due, and tells what changed. Made while the host's tokens can be read."""

    def __init__(
        self, settings: Settings, store: Store, forges: Forges, tellers: dict[str, Teller] | None = None
    ) -> None:
        self._settings, self._store, self._forges = settings, store, forges
        self._tellers = tellers or {forge.name: Teller(forge) for forge in forges.known if forge.api}
        self._base = settings.public_url.rstrip("/")

    def step(self) -> bool:
        """Look at one commit that is due; whether there was one. StoreError."""
        task = self._next()
        if task is None:
            return False
        if task.watch.told == task.digest:
            self._note(task, None, task.watch.external)
            return True
        try:
            made = self._tell(task)
        except StoreError:
            raise
        except HunterError as error:
            self._note(task, error, None)
        else:
            self._note(task, None, made or task.watch.external)
        return True

    def _next(self) -> _Task | None:
        """The commit that is due, with the gate's word of now; put off, so that nobody else takes it."""
        query = select(Watch).where(Watch.due <= now_ms()).order_by(Watch.due).limit(1)
        with self._store.read() as session:  # an idle watcher takes no write lock
            if session.scalar(query) is None:
                return None
        with self._store.write() as session:
            row = session.scalar(query.with_for_update(skip_locked=True))
            if row is None:
                return None
            repository, project = (
                session.get(Repository, row.project_id),
                session.get(Project, row.project_id),
            )
            if repository is None or project is None or row.until < now_ms():
                session.delete(row)
                return None
            row.due = now_ms() + _LEASE_MS
            depth = self._settings.depth or DepthName.STANDARD.value
            answer = record.ask(session, project, row.commit, "the forge's status", depth)
            return _Task(row, repository, json.loads(answer.body), answer.digest)

    def _tell(self, task: _Task) -> str | None:
        row, repository = task.watch, task.repository
        teller = self._tellers.get(self._forges.of(repository.url).name)
        if teller is None or repository.external is None:
            raise NotToldError("The project's forge has no api, or the project no name there.", final=True)
        path = f"/api/v1/gate?project={task.body['project']}&commit={row.commit}"
        standing = Standing(task.body, row.merge_request, f"{self._base}{path}" if self._base else "")
        return teller.tell(standing, At(repository.external, repository.status_check, row.external))

    def _note(self, task: _Task, error: HunterError | None, external: str | None) -> None:
        final = isinstance(error, NotToldError) and error.final
        with self._store.write() as session:
            row = session.get(Watch, (task.watch.project_id, task.watch.commit), with_for_update=True)
            if row is None:
                return
            if error is None:
                row.told, row.external, row.error, row.attempts = task.digest, external, None, 0
                row.due = now_ms() + (_SOON_MS if task.body["waits"] else _pause(row))
                return
            row.error = error.message[:2_000]
            log.warning("forge not told", project=task.body["project"], commit=row.commit, error=row.error)
            if final:  # until the gate's word is another
                row.told = task.digest
                row.due = now_ms() + _pause(row)
                return
            row.due = now_ms() + _DELAYS_MS[min(row.attempts, len(_DELAYS_MS) - 1)]
            row.attempts += 1

    def prune(self) -> None:
        """Forget commits that nobody asked about for long."""
        with self._store.write() as session:
            session.execute(delete(Watch).where(Watch.until < now_ms()))
