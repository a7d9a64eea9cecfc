"""procrastinate's own functions, called on the connection of a SQLAlchemy session, and so in its transaction.

SQLAlchemy's dialect ``postgresql+psycopg`` works on a plain `psycopg.Connection`, and procrastinate 3.10's synchronous
connector takes such a one from outside (``execute_query_…_with_connection``); neither begins nor commits anything
there. What procrastinate offers for asynchronous callers only (fetching, finishing, heartbeats) is the same SQL of its
``sql.queries`` through the same connector. Why it is done so: docs/decisions/0032-procrastinate.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from procrastinate import exceptions, jobs, manager, sql
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from sqlalchemy import text
from sqlalchemy.orm import Session

from package_hunter.store.errors import StoreError

TASK = "package-hunter scan"
_LONGEST_QUEUE = 39  # a channel's name has 63 bytes at most, 24 are procrastinate's
_ALIVE = text("SELECT EXISTS (SELECT FROM procrastinate_workers WHERE id = :id)")
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")
_INSERTED = '{"type": "job_inserted", "job_id": 0}'


class Engine:
    """What carries scans to workers. Every call works in the session's transaction; StoreError."""

    def __init__(self) -> None:
        self._connector = SyncPsycopgConnector()  # never opened: it has no connections of its own
        self._manager = manager.JobManager(self._connector)

    def defer(self, session: Session, scan_id: uuid.UUID, queue: str, priority: int) -> int:
        """Put a scan into a queue, and wake who waits for one; its job's number."""
        job = jobs.Job(
            queue=queue,
            priority=priority,
            lock=None,
            queueing_lock=None,
            task_name=TASK,
            task_kwargs={"scan": scan_id.hex},
        )
        with _explained():
            number = self._manager.defer_job(job, connection=_raw(session)).id
        assert number is not None, "procrastinate gives each job a number"
        return number

    def wake(self, session: Session) -> None:
        """Wake who waits for a scan, as `defer` does."""
        for channel in manager.get_channel_for_queues(None):
            session.execute(_NOTIFY, {"channel": channel, "payload": _INSERTED})

    def fetch(self, session: Session, queues: Sequence[str], worker: int) -> int | None:
        """The number of the job that is next in these queues, now being done by ``worker``."""
        row = self._one(session, "fetch_job", queues=list(queues), worker_id=worker)
        number: int | None = row["id"]
        return number

    def end(self, session: Session, number: int) -> None:
        """The job is over, whether it waits or is done: nothing of it is kept, its scan tells the rest."""
        with _explained():
            if self._manager.cancel_job_by_id(number, delete_job=True, connection=_raw(session)):
                return
        if self._all(session, "get_job_status", job_id=number):
            done = jobs.Status.SUCCEEDED.value
            self._all(session, "finish_job", job_id=number, status=done, delete_job=True)

    def abort(self, session: Session, number: int) -> None:
        """Ask for a running job's end, and wake who does it."""
        with _explained():
            self._manager.cancel_job_by_id(number, abort=True, connection=_raw(session))

    def stalled(self, session: Session, seconds: float) -> list[tuple[int, uuid.UUID]]:
        """Jobs of workers without a heartbeat for so long, and their scans."""
        asked = {"queue": None, "task_name": TASK, "seconds_since_heartbeat": seconds}
        rows = self._all(session, "select_stalled_jobs_by_heartbeat", **asked)
        return [(row["id"], uuid.UUID(row["args"]["scan"])) for row in rows]

    def register(self, session: Session) -> int:
        """A new worker's number."""
        number: int = self._one(session, "register_worker")["worker_id"]
        return number

    def alive(self, session: Session, worker: int) -> bool:
        """Whether that worker is known: one without a heartbeat for long is forgotten."""
        return bool(session.scalar(_ALIVE, {"id": worker}))

    def heartbeat(self, session: Session, worker: int) -> None:
        """The worker lives."""
        self._all(session, "update_heartbeat", worker_id=worker)

    def prune(self, session: Session, seconds: float) -> None:
        """Forget workers without a heartbeat for so long."""
        self._all(session, "prune_stalled_workers", seconds_since_heartbeat=seconds)

    def _one(self, session: Session, query: str, **arguments: Any) -> dict[str, Any]:
        with _explained():
            return self._connector.execute_query_one_with_connection(
                _raw(session), sql.queries[query], **arguments
            )

    def _all(self, session: Session, query: str, **arguments: Any) -> list[dict[str, Any]]:
        with _explained():
            return self._connector.execute_query_all_with_connection(
                _raw(session), sql.queries[query], **arguments
            )


def queue_of(needs: str) -> str:
    """The queue of scans that need this (`JobRow.needs`), which is for workers that can it."""
    name = "scan" if not needs else f"scan {needs}"
    return name if len(name) <= _LONGEST_QUEUE else f"scan {uuid.uuid5(uuid.NAMESPACE_OID, needs).hex}"


def _raw(session: Session) -> Any:
    """The session's psycopg connection, with all that it has to write written."""
    session.flush()
    return session.connection().connection.driver_connection


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except exceptions.ConnectorException as error:
        what = str(error.__cause__ or error).splitlines()[0]
        raise StoreError(
            f"The store failed ({what}).", "See docs/server.md, The store.", "The store failed."
        ) from error
