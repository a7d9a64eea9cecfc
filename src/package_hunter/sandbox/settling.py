"""Watching what lives on after the last command: to its end, to the budget's, or until it is clear that nothing more
will happen within the budget, since all that lives waits for something that comes later, or never.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from package_hunter.sandbox import connections, leftover, waiting
from package_hunter.sandbox.base import CgroupPaths
from package_hunter.stopping import breakable

_LOOK_SECONDS = 0.02  # between two looks at what still runs
_WAITS_SECONDS = 0.25  # between two at what it waits for, and before the first


def ended(alive: Callable[[], bool], seconds: float) -> bool:
    """Give what still runs time to end; whether it did."""
    end = time.monotonic() + seconds
    while alive():
        if time.monotonic() >= end:
            return False
        with breakable():
            time.sleep(_LOOK_SECONDS)
    return True


def watch(groups: CgroupPaths, init_pid: int, seconds: float, own: Collection[int] = ()) -> bool:
    """Watch a box; whether nothing lives in it any more but the machine's ``own``. It is watched no longer than
    anything may happen in it."""
    end = time.monotonic() + seconds
    calm = 0
    while (left := end - time.monotonic()) > 0:
        if ended(lambda: bool(leftover.living(groups, init_pid, own)), min(_WAITS_SECONDS, left)):
            return True
        calm = calm + 1 if _soonest(groups, init_pid, own) > end - time.monotonic() else 0
        if calm >= 2:  # once may be between two steps of something
            break
    return not leftover.living(groups, init_pid, own)


def _soonest(groups: CgroupPaths, init_pid: int, own: Collection[int]) -> float:
    """In how many seconds anything of the box may go on; 0 where a connection is under way."""
    if connections.under_way(init_pid):
        return 0.0
    with leftover.opened(groups, init_pid, own) as processes:
        return min((waiting.soonest(waiting.waits_of(proc)) for proc in processes.values()), default=0.0)
