"""kill -9 of each kind of process at random moments."""

from __future__ import annotations

import time
from collections.abc import Callable

from ci.faults import marks
from ci.faults.deployment import Deployment
from ci.faults.scenario import Inject, Stage

_FIND_SECONDS = 20.0
_MOST_BETWEEN = 4  # scans that end between two kills
# How long a helper lives at the most in these scans: it is killed within so many seconds of being seen.
_LIVES = {"reader": 0.8, "planner": 0.8, "gateway": 1.0, "unpacker": 0.1, "runc": 0.03}


def killing(kinds: tuple[str, ...]) -> Inject:
    """One process after the other, of a kind chosen at random each time; between two, some scans come to their end, so
    that what was killed is at work again however slow the machine is."""

    def inject(stage: Stage, made: Deployment, going: Callable[[], bool]) -> int:
        times = 0
        while going() and time.monotonic() < stage.deadline:
            stage.pause(0.0, 2.0)
            times += _kill(stage, made, stage.random.choice(kinds), going)
            made.let_end(stage.random.randint(1, _MOST_BETWEEN), going)
        return times

    return inject


def _kill(stage: Stage, made: Deployment, kind: str, going: Callable[[], bool]) -> bool:
    """Whether one was killed."""
    if kind == "PostgreSQL":
        return _kill_database(stage)
    if kind == "API":
        return made.mark.kill(made.api_pid())
    if kind in ("supervisor", "worker"):
        name = "server" if kind == "supervisor" else stage.random.choice(("worker-1", "worker-2"))
        pid = made.keeper.units[name].pid
        return pid != 0 and made.mark.kill(pid)
    end = time.monotonic() + _FIND_SECONDS
    while time.monotonic() < end and going():
        for pid in made.mark.helpers(kind):
            stage.pause(0.0, _LIVES[kind])
            if made.mark.kill(pid, lambda pid: marks.kind_of(pid) == kind):
                return True
        time.sleep(0.002)
    return False


def _kill_database(stage: Stage) -> bool:
    """Its first process, so that all of it goes, or one that serves a session, after which it starts itself anew."""
    postgres = stage.postgres
    assert postgres is not None
    backends = postgres.backends()
    if backends and stage.random.random() < 0.5:
        return postgres.kill_backend(stage.random.choice(backends))
    postgres.kill()
    time.sleep(1.0)
    postgres.start()
    return True
