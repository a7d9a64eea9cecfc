"""Ten thousand scans waiting, of many accounts, of which workers run a part."""

from __future__ import annotations

import time
from pathlib import Path

from ci.faults import targets
from ci.faults.deployment import Deployment
from ci.faults.row import Row
from ci.faults.scenario import Stage, finish

from package_hunter import queue as queues
from package_hunter.store import archives, scans
from package_hunter.store.archives import Archives
from package_hunter.store.scans import NewScan

WAITING = 10_000
_ACCOUNTS = 500
_AT_ONCE = 500  # in one transaction


def many(stage: Stage) -> Row:
    """They are put in as the server does it; then ``stage.count`` of them are let end, and all are counted."""
    with stage.deployed() as made:
        before = made.look()
        idle = _memory(made)
        began = time.monotonic()
        for first in range(0, WAITING, _AT_ONCE):
            _put(made, range(first, first + _AT_ONCE))
        stage.notes.append(f"put in in {time.monotonic() - began:.0f} s")
        began, first_ended = time.monotonic(), made.ended()
        made.let_end(stage.count, lambda: True, stage.deadline - time.monotonic())
        done = made.ended() - first_ended
        rate = done / (time.monotonic() - began) * 3600
        stage.notes.append(f"{done} ended, {rate:.0f} an hour; {_grown(idle, _memory(made))}")
        return finish(stage, made, before, WAITING, may_wait=True)


def _put(made: Deployment, numbers: range) -> None:
    into, queue = Archives(made.settings, made.store), queues.make(made.settings, made.store)
    kept = []
    for number in numbers:
        upload = into.begin()
        upload.write(targets.small(number))
        upload.done()
        kept.append((number, upload, into.keep(upload)))
    with made.store.write() as session:
        for number, upload, claims in kept:
            new = NewScan("small", f"token:{number % _ACCOUNTS}", "npm", upload.sha256, upload.size)
            scan = scans.add(session, new)
            archives.note(session, scan, claims)
            queue.enqueue(session, scan.id)
            made.client.accepted.append(scan.id)
    for _, upload, _ in kept:
        upload.discard()


def _memory(made: Deployment) -> dict[str, int]:
    """Resident bytes of server and workers."""
    pids = {"API": made.api_pid(), **{n: u.pid for n, u in made.keeper.units.items() if n != "server"}}
    return {name: _resident(pid) for name, pid in pids.items()}


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


def _grown(before: dict[str, int], after: dict[str, int]) -> str:
    return ", ".join(f"{name} {before[name] >> 20} to {size >> 20} MiB" for name, size in after.items())
