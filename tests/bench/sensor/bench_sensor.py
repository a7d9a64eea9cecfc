# ruff: noqa: E501  (lines of a printed table)
"""Floods unfrozen and frozen, what a process outside of every scan pays, and the cost of watching and of reading an event.

For comparison, measured on the same kind of machine with Falco 0.43.1's default 8 MB ring (2 cores): no loss
at 375,000 events/s, 7 % at 423,000, 51 % at 564,000 (four loops)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from package_hunter.sensor import table
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe
from package_hunter.sensor.ring import Ring
from tests.support.sensor_flood import cgroup, compiled, flood

SECONDS = 2.0
RING = 64 << 20


def _cpu(program: Path, kind: str, calls: int, probe: Probe | None = None) -> float:
    """CPU microseconds a call of a loop, as a member of a scan where there is a probe; the ring is emptied unread."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'read go; exec "$@"', "sh", str(program), kind, "60", str(calls)],
        stdin=reading,
        stdout=subprocess.DEVNULL,
    )
    scan = probe.open_scan(RING, table.full_events(), hold=False) if probe is not None else None
    ring = None
    if scan is not None:
        scan.register(process.pid)
        ring = Ring(scan.ring_fd, RING)
    os.write(writing, b"\n")
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG if ring is not None else 0)
        if ring is not None:
            ring._consumer[0] = ring._position = ring._producer[0]
        if pid:
            break
        time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    for fd in (reading, writing):
        os.close(fd)
    if scan is not None and ring is not None:
        assert scan.stats().lost == 0
        ring.close()
        scan.close()
    return (usage.ru_utime + usage.ru_stime) / calls * 1e6


def _outsider(probe: Probe, program: Path) -> None:
    rounds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(5):
        for attached in (False, True):
            probe.attach() if attached else probe.detach()
            rounds[attached].append(_cpu(program, "getppid", 2_000_000) * 1e3)
    bare, hooked = (min(rounds[k]) for k in (False, True))
    print(
        f"   getppid outside of every scan: {bare:.0f} ns of CPU bare, {hooked:.0f} ns with the probe attached (+{hooked - bare:.0f} ns)"
    )


def _workload(probe: Probe, program: Path) -> None:
    """Loops bare and as a member, alternating; the best of five each, so that other work counts little."""
    for kind, calls, unit, label in (
        ("open", 400_000, 1, "open or close"), ("path", 20_000, 1, "open or close of a 3.8 KB path"),
        ("connect", 300_000, 1, "socket, connect or close"), ("exec", 64 * 1000, 64, "vfork, exec, exit"),
    ):  # fmt: skip
        bare, watched = [], []
        for _ in range(5):
            probe.detach()
            bare.append(_cpu(program, kind, calls) * unit)
            probe.attach()
            watched.append(_cpu(program, kind, calls, probe) * unit)
        a, b = min(bare), min(watched)
        print(f"   {label:32} {a:7.2f} us of CPU bare, {b:7.2f} us watched (+{b - a:.2f} us, {b / a:.2f} x)")


def _floods(probe: Probe, program: Path) -> None:
    print(
        "   flood          loops  mode      events/s   lost   frozen s (times)  peak fill  reader CPU/event"
    )
    for kind, loops, frozen in (
        ("open", 1, False), ("open", 2, False), ("open", 4, False), ("open", 2, True), ("open", 4, True),
        ("exec", 2, True), ("connect", 2, True), ("write", 2, True), ("path", 2, True),
    ):  # fmt: skip
        with cgroup() as group:
            r = flood(probe, program, kind, loops, SECONDS, group if frozen else None)
        total = r.stats.events + r.stats.lost
        print(
            f"   {kind:14} {loops:5}  {'frozen' if frozen else 'unfrozen':8} {total / r.seconds:9.0f}  {r.stats.lost / total:5.1%}"
            f"  {r.frozen_seconds:8.2f} ({r.freezes:3})  {r.peak:9.2f}  {r.reader_cpu / max(r.received, 1) * 1e6:8.2f} us"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(Path(folder))
        with Probe(object_path(Path(folder))) as probe:
            _outsider(probe, program)
            probe.attach()
            _workload(probe, program)
            probe.attach()
            _floods(probe, program)
