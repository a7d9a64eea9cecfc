"""What a worker says of a scan while it runs, for who waits for it. It hinders no scan: `say` never waits, and what a
busy store does not take is told later, or not at all."""

from __future__ import annotations

import threading
from collections import deque

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.queue.base import Job
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import JobRow
from package_hunter.store.request_tables import MAX_EVENT_KIND, MAX_EVENT_TEXT, ScanEvent
from package_hunter.store.scans import clean_text

log = structlog.get_logger(__name__)

MAX_EVENTS = 500
"""Of a scan, over all attempts."""
_MAX_HELD = 50
_EVERY_SECONDS, _PATIENCE_SECONDS = 0.3, 2.0


class Progress:
    """One job's, a context: a thread of its own waits for the store. Any thread may `say`."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store, self._job = store, job
        self._held: deque[tuple[int, str, str]] = deque(
            maxlen=_MAX_HELD
        )  # what is too much is forgotten, oldest first
        self._lock = threading.Lock()
        self._full = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Store the rest, if the store takes it within a moment."""
        self._over.set()
        self._thread.join(_PATIENCE_SECONDS)

    def say(self, kind: str, text: str) -> None:
        """``kind`` is a word (``phase``, ``box``, ``step``); ``text`` a sentence, of which nothing is trusted."""
        said = clean_text(kind, MAX_EVENT_KIND) or "step", clean_text(text, MAX_EVENT_TEXT)
        with self._lock:
            self._held.append((now_ms(), *said))

    def step(self, text: str) -> None:
        """What the pipeline says as it goes on."""
        self.say("step", text)

    def _run(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        with self._lock:
            said = list(self._held)
            self._held.clear()
        if not said or self._full:
            return
        try:
            with self._store.write() as session:
                self._add(session, said)
        except StoreError as error:
            log.warning("progress not told", scan=str(self._job.scan_id), error=str(error), lines=len(said))

    def _add(self, session: Session, said: list[tuple[int, str, str]]) -> None:
        """Only who holds the scan speaks of it: an older holder's words would come in between."""
        held = select(JobRow.scan_id).where(
            JobRow.scan_id == self._job.scan_id, JobRow.lease == self._job.lease
        )
        if session.scalar(held.with_for_update()) is None:
            return
        last = select(func.max(ScanEvent.seq)).where(ScanEvent.scan_id == self._job.scan_id)
        seq = session.scalar(last) or 0
        for at, kind, text in said[: max(0, MAX_EVENTS - seq)]:
            seq += 1
            session.add(ScanEvent(scan_id=self._job.scan_id, seq=seq, at=at, kind=kind, text=text))
        self._full = seq >= MAX_EVENTS
