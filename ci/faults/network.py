"""The network cut: between workers and the database, or between all and the object store."""

from __future__ import annotations

import time
from collections.abc import Callable

from ci.faults.deployment import Deployment, Shape
from ci.faults.row import Row
from ci.faults.scenario import Stage, disturbed
from ci.faults.wire import Wire, wired

_CUT_SECONDS = (5.0, 40.0)


def cut_network(stage: Stage) -> Row:
    """Both workers behind the wire; the server beside the database."""
    assert stage.postgres is not None
    with wired() as wire:
        stage.postgres.stop()
        stage.postgres.listen = wire.host
        stage.postgres.start()
        before = ["nsenter", f"--net={wire.worker}"]
        shape = Shape(
            before={"worker-1": before, "worker-2": before},
            worker_database=stage.postgres.url_at(wire.host),
        )
        return disturbed(stage, lambda stage, made, going: _cut(stage, made, wire, going), shape)


def _cut(stage: Stage, made: Deployment, wire: Wire, going: Callable[[], bool]) -> int:
    times = 0
    while going() and time.monotonic() < stage.deadline:
        made.let_end(stage.random.randint(1, 4), going)
        stage.pause(0.0, 2.0)
        wire.cut()
        try:
            times += 1
            stage.pause(*_CUT_SECONDS)
        finally:
            wire.whole()
    return times


def cut_bucket(stage: Stage) -> Row:
    """The object store behind the wire, server and workers before it."""
    wire = stage.bucket
    assert wire is not None
    return disturbed(stage, lambda stage, made, going: _cut(stage, made, wire, going))
