"""The database away for half a minute: PostgreSQL stopped, or SQLite's file held by somebody else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from ci.faults.deployment import Deployment
from ci.faults.row import Row
from ci.faults.scenario import Stage, disturbed

_AWAY_SECONDS = 30.0


def away(stage: Stage) -> Row:
    """PostgreSQL is stopped (sessions end), or SQLite's write lock held; 30 s each time."""
    return disturbed(stage, _away if stage.postgres is not None else _held)


def _away(stage: Stage, made: Deployment, going: Callable[[], bool]) -> int:
    assert stage.postgres is not None
    times = 0
    while going() and time.monotonic() < stage.deadline:
        made.let_end(stage.random.randint(1, 6), going)
        stage.pause(0.0, 2.0)
        stage.postgres.stop()
        times += 1
        time.sleep(_AWAY_SECONDS)
        stage.postgres.start()
    return times


def _held(stage: Stage, made: Deployment, going: Callable[[], bool]) -> int:
    times = 0
    file = made.data / "store/store.db"
    while going() and time.monotonic() < stage.deadline:
        made.let_end(stage.random.randint(1, 6), going)
        stage.pause(0.0, 2.0)
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            times += 1
            time.sleep(_AWAY_SECONDS)
            connection.execute("ROLLBACK")
    return times
