"""Floods a scan and reads it with back-pressure, as the reader does."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from package_hunter.sensor import table
from package_hunter.sensor.freezer import Feed, Freezer, take_priority
from package_hunter.sensor.live import Probe
from package_hunter.sensor.ring import Ring
from package_hunter.sensor.stats import Stats

SOURCE = Path(__file__).resolve().parent / "flood.c"


def compiled(folder: Path) -> Path:
    """The flood program."""
    program = folder / "flood"
    subprocess.run(["cc", "-O2", "-pthread", "-o", program, SOURCE], check=True)
    return program


@contextlib.contextmanager
def cgroup() -> Iterator[Path]:
    """A cgroup that can be frozen: v1's freezer where it is, else v2."""
    base = Path("/sys/fs/cgroup/freezer")
    if not base.is_dir():
        base = Path("/sys/fs/cgroup")
    group = base / f"sensor-test-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        yield group
    finally:
        for _ in range(500):  # its processes end when a busy machine gets to it
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.02)


@dataclass
class Flooded:
    """What came of a flood."""

    calls: int
    received: int
    stats: Stats
    frozen_seconds: float
    freezes: int
    peak: float
    seconds: float
    reader_cpu: float


def flood(
    probe: Probe,
    program: Path,
    kind: str,
    loops: int,
    seconds: float,
    group: Path | None,
    ring_bytes: int = 8 << 20,
    limit: int = 0,
) -> Flooded:
    """Runs ``loops`` of a flood for some seconds; every event is read, none decoded."""
    scan = probe.open_scan(ring_bytes, table.full_events(), hold=group is not None)
    ring = Ring(scan.ring_fd, ring_bytes)
    freezer = Freezer(group) if group else None
    feed = Feed(ring, freezer)
    reading, writing = os.pipe()
    processes = []
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    take_priority()
    try:
        for _ in range(loops):
            process = subprocess.Popen(
                [
                    "/bin/sh",
                    "-c",
                    'read go; exec "$@"',
                    "sh",
                    str(program),
                    kind,
                    str(seconds),
                    *([str(limit)] if limit else []),
                ],
                stdin=reading,
                stdout=subprocess.PIPE,
                preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, 0),
            )
            if group:
                (group / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
            scan.register(process.pid)
            processes.append(process)
        started, cpu = time.monotonic(), time.process_time()
        os.write(writing, b"\n" * loops)
        received = 0
        while any(p.poll() is None for p in processes) or ring.fill():
            received += len(feed.read(0.01))
        spent = time.process_time() - cpu
        calls = sum(int(p.communicate()[0]) for p in processes)
        stats = scan.stats()
        return Flooded(
            calls, received, stats, freezer.seconds if freezer else 0.0, freezer.times if freezer else 0,
            feed.peak, time.monotonic() - started, spent,
        )  # fmt: skip
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)
        if freezer:
            freezer.close()
        for process in processes:
            process.kill()
            process.wait()
        os.close(reading)
        os.close(writing)
        ring.close()
        scan.close()
