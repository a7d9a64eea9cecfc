"""What is done again and again, whether or not anybody asks: `chores.py` lists it.

Each chore is done by one process at a time, over all machines, and no sooner than its time has come: the table
``chores`` says when it was done last, so a restart neither repeats nor forgets a weekly one. On SQLite the runner here
looks at its clock; on PostgreSQL procrastinate's periodic tasks do (`queue.periodic_tasks`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from package_hunter.errors import HunterError
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import ChoreRow

log = structlog.get_logger(__name__)

HASTE_SECONDS = 0.2  # before the next step of one that has more to do
MOST_SECONDS = 60.0  # of one chore, while others wait
_LOOK_SECONDS = 1.0
_SLACK_SECONDS = 2.0
_MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Periodic:
    """A chore. ``every``: so many seconds after its last beginning it is due. ``run`` takes one step of it, in
    transactions of its own; True where there is more to do at once."""

    name: str
    every: float
    run: Callable[[], bool]


def run(store: Store, chores: Sequence[Periodic]) -> int:
    """Do the chores until told to stop; the exit code."""
    if not store.is_sqlite:
        from package_hunter.queue import periodic_tasks  # needs the extra `postgres`

        return periodic_tasks.run(store, chores)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        for chore in chores:
            if not stop.is_set():
                perform(store, chore, stop)
        stop.wait(min([_LOOK_SECONDS, *(chore.every for chore in chores)]))
    return 0


def perform(store: Store, chore: Periodic, stop: threading.Event) -> bool:
    """Do the chore if it is due, until there is no more to do, or for a minute. What went wrong is logged and kept
    beside it: it is tried again when it is due again. True where it was due."""
    try:
        if not due(store, chore):
            return False
        begun = now_ms()
        _note(store, chore, begun, _steps(chore, stop))
    except StoreError as failed:
        log.warning("store failed", chore=chore.name, error=str(failed))
        stop.wait(_LOOK_SECONDS)
    return True


def due(store: Store, chore: Periodic) -> bool:
    """Whether its time has come, or will within a moment: those that look for it come in equal intervals, too. (A last
    time that lies ahead is a clock's that went wrong.)"""
    with store.read() as session:
        row = session.get(ChoreRow, chore.name)
    since = None if row is None else (now_ms() - row.done) / 1000
    return since is None or since < 0 or since >= chore.every - min(chore.every / 10, _SLACK_SECONDS)


def _steps(chore: Periodic, stop: threading.Event) -> str | None:
    """What went wrong, as a sentence."""
    ends = time.monotonic() + MOST_SECONDS
    try:
        while chore.run() and time.monotonic() < ends and not stop.wait(HASTE_SECONDS):
            pass
    except HunterError as error:
        log.warning("chore failed", chore=chore.name, error=str(error))
        return str(error)
    except Exception as error:  # one of them must not keep the others from being done
        log.exception("chore failed", chore=chore.name)
        return f"Package Hunter itself failed ({type(error).__name__})."
    return None


def _note(store: Store, chore: Periodic, begun: int, error: str | None) -> None:
    said = None if error is None else error[:_MAX_ERROR]
    with store.write() as session:
        session.merge(ChoreRow(name=chore.name, done=begun, error=said))
