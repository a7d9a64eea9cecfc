"""One scan of a project in a way of its own, for bench_observed.py: `install_once.py WAY PROJECT` prints JSON.

``unwatched``: no probe, no reader. ``received``: events are read and decoded, no more. ``judged``: as always.
``timed``: judged by a probe of this process's own, whose time in the kernel is read (kernel.bpf_stats_enabled).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import package_hunter.observe.probe as steps
from package_hunter.model.observation import Observation
from package_hunter.observe.reader import Observer, _codec, _events
from package_hunter.pipeline import ScanOptions, scan_target
from package_hunter.sensor import objects
from package_hunter.sensor.freezer import Feed, Freezer, take_priority
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.ring import Ring
from package_hunter.sensor.stats import Stats

SEEN: dict[str, Any] = {
    "probe_cpu": 0.0,
    "events": 0,
    "lost": 0,
    "reader_cpu": 0.0,
    "reader_rss": 0,
    "box_cpu": 0.0,
}


class NoProbe:
    """Stands where the probe does and hooks nothing."""

    number = ring_fd = boot_ns = 0
    ring_bytes = 1 << 20

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> NoProbe:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def attach(self) -> None:
        pass

    def open_scan(self, *_: object) -> NoProbe:
        return self

    def register(self, pid: int) -> None:
        pass

    def set_filter(self, *_: object, **__: object) -> None:
        pass

    def stats(self) -> Stats:
        return Stats()

    def close(self) -> None:
        pass


class NoObserver:
    """Stands where the reader's process is started."""

    killed = False

    def __init__(self, *_: object) -> None:
        pass

    def start(self, *_: object) -> None:
        pass

    def finish(self) -> tuple[Observation, str]:
        return Observation(), ""

    def abort(self) -> None:
        pass


class Counting(Observer):
    """Notes what the reader cost."""

    def finish(self) -> tuple[Observation, str]:
        result = super().finish()
        assert self.usage is not None
        SEEN["reader_cpu"] += self.usage.ru_utime + self.usage.ru_stime
        SEEN["reader_rss"] = max(SEEN["reader_rss"], self.usage.ru_maxrss * 1024)
        SEEN["events"] += result[0].events
        return result


class Receiving(Counting):
    """Reads and decodes, judges nothing."""

    def _read(self, done: int, *_: Any) -> None:
        from package_hunter.enrich.event import Ev

        assert self._result is not None
        ring = Ring(self._sensor.ring_fd, self._sensor.ring_bytes)
        freezer = Freezer(self._groups.freezer or self._groups.unified or self._groups.procs)
        take_priority()
        os.set_blocking(done, False)
        count = 0
        for raw, cpu in _events(Feed(ring, freezer), done, None):
            Ev(raw, cpu)
            count += 1
        freezer.thaw()
        self._result.write(_codec().dump_json(Observation(events=count, frozen_seconds=freezer.seconds)))
        self._result.flush()


def _box_cpu(groups: Any) -> float:
    """CPU seconds of the box so far, from its cgroup (v1 cpuacct or v2 cpu.stat); 0 where neither is."""
    v2 = groups.procs / "cpu.stat"
    if v2.exists():
        words = v2.read_text().split()
        if "usage_usec" in words:
            return int(words[words.index("usage_usec") + 1]) / 1e6
    v1 = Path(str(groups.procs).replace("/freezer/", "/cpuacct/")) / "cpuacct.usage"
    return int(v1.read_text()) / 1e9 if v1.exists() else 0.0


def _kernel_seconds(probe: Probe) -> float:
    """What this probe's programs ran so far, for members of scans and for all other processes of the host."""
    assert probe._objects is not None
    total = 0
    for fd in probe._objects.programs.values():
        number = objects._info(fd, objects._ProgInfo()).id
        said = subprocess.check_output(["bpftool", "prog", "show", "id", str(number), "-j"])
        total += int(json.loads(said).get("run_time_ns", 0))
    return total / 1e9


def main(way: str, project: Path) -> None:
    """Scan once and say what it cost."""
    if way == "unwatched":
        steps.Probe, steps.Observer = NoProbe, NoObserver  # type: ignore[misc, assignment]
        steps.start_state = lambda *_, **__: __import__(  # type: ignore[assignment]
            "package_hunter.model.table", fromlist=["StartState"]
        ).StartState()
    else:
        steps.Observer = Receiving if way == "received" else Counting  # type: ignore[misc]
    if way == "timed":
        steps.Probe = lambda path, **_: Probe(path)  # type: ignore[misc, assignment]
    kill = steps.RuncSandbox.kill

    def counted(box: Any) -> None:
        SEEN["box_cpu"] += _box_cpu(box.cgroup_paths)
        kill(box)

    steps.RuncSandbox.kill = counted  # type: ignore[method-assign]
    close = ScanSensor.close

    def told(sensor: ScanSensor) -> None:
        if sensor._open:
            if way == "timed":
                SEEN["probe_cpu"] += _kernel_seconds(sensor._probe)
            stats = sensor.stats()
            SEEN["lost"] += stats.lost
            SEEN["written"] = SEEN.get("written", 0) + stats.events
        close(sensor)

    ScanSensor.close = told  # type: ignore[method-assign]
    started = time.perf_counter()
    report = scan_target(project, ScanOptions())
    if way != "unwatched" and any("reader" in reason for reason in report.coverage.reasons):
        sys.exit("\n".join(report.coverage.reasons))
    phases = {p.name: p.seconds for p in report.coverage.phases}
    SEEN["seconds"] = phases["fetch"] + phases["install"]
    SEEN["whole"] = time.perf_counter() - started
    SEEN["frozen"] = report.coverage.frozen_seconds
    SEEN["packages"] = report.coverage.packages_installed
    assert Probe is not None
    print(json.dumps(SEEN))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
