"""How a worker stands, in the words of the API, the command line and the figures (docs/server.md)."""

from __future__ import annotations

from enum import StrEnum

from package_hunter.store.models import WorkerRow

_LEAST_SILENCE = 30.0  # seconds: an idle worker is heard of each ten


class State(StrEnum):
    """How a worker stands."""

    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"
    DRAINED = "drained"
    UNFIT = "unfit"
    LOST = "lost"


def lost_before(now: int, lease_seconds: float) -> float:
    """Who was not seen since then (ms since the epoch) is lost."""
    return now - max(_LEAST_SILENCE, lease_seconds) * 1000


def state_of(row: WorkerRow, runs: bool, since: float) -> State:
    """The state of a worker; ``runs``: it holds a scan, ``since``: `lost_before`."""
    if not isinstance(row.seen, int) or row.seen < since:
        return State.LOST
    if row.drain is not None:
        return State.DRAINING if runs else State.DRAINED
    if row.lacks is not None:
        return State.UNFIT
    return State.BUSY if runs else State.IDLE
