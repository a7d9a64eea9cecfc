# ruff: noqa: E501  (lines of a printed table)
"""Floods through the whole reader (ring, back-pressure, decoding, enrichment, rules, record), a quiet scan beside a
noisy one, and what it takes to get the probe into the kernel. `SECONDS` sets how long a flood lasts (4)."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from package_hunter.sensor import table
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe
from tests.support.sensor_flood import cgroup, compiled
from tests.support.sensor_judged import RoundResult, engine, flooding

SECONDS = float(os.environ.get("SECONDS", "4"))
FLOODS = (
    ("open", 2, True, "2 loops of open+close"), ("open", 4, True, "4 loops of open+close"),
    ("open", 2, False, "2 loops, without close"), ("open", 4, False, "4 loops, without close"),
    ("exec", 2, False, "exec"), ("connect", 2, False, "connect"), ("write", 2, True, "64 KB writes"),
    ("path", 2, False, "long paths"), ("noexec", 4, False, "failing exec, 40 KB"), ("rename", 4, False, "failing rename, 8 KB"),
)  # fmt: skip


def _flood(probe: Probe, program: Path, kind: str, loops: int, full: bool) -> RoundResult:
    events = table.full_events() if full else None
    with cgroup() as group, flooding(probe, group, engine(proof=False), events) as run:
        run.prepare(program, kind, loops, SECONDS)
        run.start()
        return run.finish()


def _floods(probe: Probe, program: Path) -> None:
    print(
        "   floods, judged            events   judged/s  lost  frozen s of      held s  us/event  peak memory"
    )
    for kind, loops, full, label in FLOODS:
        r = _flood(probe, program, kind, loops, full)
        seen = r.observation
        whole = "" if seen.events == r.stats.events and not r.stats.lost else "  NOT ALL WERE JUDGED"
        print(
            f"   {label:22} {seen.events:9} {seen.events / r.seconds:10,.0f} {r.stats.lost:5} {seen.frozen_seconds:8.2f} of {r.seconds:4.1f}"
            f" {r.stats.held_ns / 1e9:7.2f} {r.reader_cpu / max(seen.events, 1) * 1e6:9.1f} {r.reader_peak_bytes >> 20:7} MB{whole}"
        )


def _quiet(probe: Probe, program: Path) -> float:
    """Seconds for a fixed piece of work in a watched and judged scan of its own."""
    with cgroup() as group, flooding(probe, group, engine(proof=False)) as run:
        run.prepare(program, "exec", 1, 60.0, limit=64 * 300)
        run.start()
        result = run.finish()
    assert result.stats.lost == 0 and result.observation.frozen_seconds == 0
    return result.flood_seconds


def _neighbours(probe: Probe, program: Path) -> None:
    """The same work alone, beside a flood that nobody watches, and beside one that is watched and frozen."""
    times: dict[str, list[float]] = {"alone": [], "unwatched": [], "watched": []}
    for _ in range(3):
        times["alone"].append(_quiet(probe, program))
        noise = [subprocess.Popen([program, "open", "30"], stdout=subprocess.DEVNULL) for _ in range(4)]
        try:
            times["unwatched"].append(_quiet(probe, program))
        finally:
            for process in noise:
                process.kill()
                process.wait()
        with cgroup() as group, flooding(probe, group, engine(proof=False)) as loud:
            loud.prepare(program, "open", 4, 30.0)
            loud.start()
            times["watched"].append(_quiet(probe, program))
            loud.stop()
            held = loud.finish()
            assert held.stats.lost == 0
    alone, unwatched, watched = (statistics.median(times[k]) for k in ("alone", "unwatched", "watched"))
    print(
        f"   300 execs in a quiet scan: {alone:.2f} s alone, {unwatched:.2f} s beside an unwatched flood of 4 loops, "
        f"{watched:.2f} s beside the same flood watched, judged and frozen ({watched / unwatched:.2f} x)"
    )


def _loading(path: Path) -> None:
    rounds: dict[str, list[list[float]]] = {"private": [], "shared": []}
    for _ in range(5):
        for way, taken in rounds.items():
            at = [time.perf_counter()]
            probe = Probe(path, shared=way == "shared")
            at.append(time.perf_counter())
            probe.attach()
            at.append(time.perf_counter())
            scan = probe.open_scan(8 << 20)
            at.append(time.perf_counter())
            scan.ready()
            at.append(time.perf_counter())
            scan.close()
            probe.detach()
            at.append(time.perf_counter())
            probe.close()
            taken.append([(b - a) * 1e3 for a, b in itertools.pairwise(at)])
    for way, taken in rounds.items():
        load, attach, opened, ready, gone = (statistics.median(column) for column in zip(*taken, strict=True))
        print(
            f"   probe, {way:8} load {load:6.1f} ms, attach {attach:.1f} ms, open a scan {opened:.1f} ms, its ring is in place after {ready:.1f} ms more, close and detach {gone:.1f} ms"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(Path(folder))
        _loading(object_path())
        with Probe(object_path()) as probe:
            probe.attach()
            _floods(probe, program)
            _neighbours(probe, program)
