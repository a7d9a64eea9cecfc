"""The gate's own processes: one that fetches commits, one that tells forges how the gate stands."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import structlog

from package_hunter.store.database import StoreError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
_ROUNDS = 3_600


def run(step: Callable[[], bool], prune: Callable[[], None] | None = None) -> int:
    """Take steps until told to stop; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rounds = 0
    while not stop.is_set():
        some = False
        try:
            some = step()
            if prune is not None and rounds % _ROUNDS == 0:
                prune()
        except StoreError as error:
            log.warning("store failed", error=str(error))
        rounds += 1
        if not some:
            stop.wait(EVERY_SECONDS)
    return 0
