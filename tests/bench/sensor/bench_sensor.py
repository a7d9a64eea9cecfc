# ruff: noqa: E501  (lines of a printed table)
"""Floods unfrozen and frozen, what a process outside of every scan pays, and the cost of reading an event.

For comparison, measured on the same kind of machine with Falco 0.43.1's default 8 MB ring (2 cores): no loss
at 375,000 events/s, 7 % at 423,000, 51 % at 564,000 (four loops)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration" / "sensor"))

from sensor_flood import cgroup, compiled, flood

from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe

SECONDS = 2.0
CALLS = 2_000_000


def _getppid(program: Path) -> float:
    """Seconds for CALLS of getppid, as ns a call."""
    import time

    started = time.perf_counter()
    subprocess.run([program, "getppid", "60", str(CALLS)], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) / CALLS * 1e9


def _outsider(probe: Probe, program: Path) -> None:
    rounds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(5):
        for attached in (False, True):
            probe.attach() if attached else probe.detach()
            rounds[attached].append(_getppid(program))
    bare, hooked = (statistics.median(rounds[k]) for k in (False, True))
    print(
        f"   getppid outside of every scan: {bare:.0f} ns bare, {hooked:.0f} ns with the probe attached (+{hooked - bare:.0f} ns)"
    )


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


def _workload(probe: Probe, program: Path) -> None:
    """A loop of open and close, bare and as a member."""
    import time

    def once(watched: bool) -> float:
        started = time.perf_counter()
        if watched:
            flood(probe, program, "open", 1, 60.0, None, limit=400_000)
        else:
            subprocess.run([program, "open", "60", "400000"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    bare, watched = [], []
    for _ in range(3):
        probe.detach()
        bare.append(once(False))
        probe.attach()
        watched.append(once(True))
    a, b = statistics.median(bare), statistics.median(watched)
    print(
        f"   200,000 open+close: {a:.2f} s bare, {b:.2f} s watched ({b / a:.2f} x, {(b - a) / 400_000 * 1e6:.2f} us an event)"
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
