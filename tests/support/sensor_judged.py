"""Floods a scan that a real reader judges: ring, back-pressure, decoding, enrichment, rules, record."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from package_hunter.model.observation import Observation
from package_hunter.observe.events import Scope, compile_rules, wanted_events
from package_hunter.observe.reader import Observer, ReaderSpec
from package_hunter.rules import Matcher, load_rules
from package_hunter.sandbox.base import CgroupPaths
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.state import start_state
from package_hunter.sensor.stats import Stats

PROOF = "Every call of a flood"
RULES = f"""
- rule: {PROOF}
  desc: matches what the floods do, to prove that each event was judged
  condition: >
    (evt.type = openat and fd.name = /etc/hostname and evt.rawres >= 0)
    or (evt.type = connect and fd.sport = 9)
    or (evt.type = execve and proc.exepath endswith /true and evt.rawres = 0)
    or (evt.type = write and evt.rawres = 65536)
  output: seen %evt.type
  priority: NOTICE
"""


@functools.cache
def engine(proof: bool) -> Matcher:
    """The built-in rules; with ``proof``, and a rule that matches each call of a flood."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(RULES)
        file.flush()
        return compile_rules(load_rules((Path(file.name),) if proof else (), builtin=True))


_PAGE = os.sysconf("SC_PAGESIZE")


@dataclass
class RoundResult:
    """What came of a flood that was judged. ``proofs``: alerts of the rule above, kept or counted."""

    calls: int
    observation: Observation
    stats: Stats
    seconds: float  # from the first call until all was judged
    flood_seconds: float
    reader_cpu: float
    reader_peak_bytes: int
    inherited_bytes: int  # of that, what this process had when the reader was forked off it
    workload_cpu: float

    @property
    def proofs(self) -> int:
        kept = sum(a.rule == PROOF for a in self.observation.alerts)
        return kept + self.observation.cut.get(f"alerts of {PROOF}", 0)


class Flooding:
    """Loops of a flood in a cgroup, watched and judged. ``start`` them all, then ``finish``."""

    def __init__(
        self,
        probe: Probe,
        folder: Path,
        group: Path,
        judge: Matcher,
        events: frozenset[int] | None = None,
        ring_bytes: int = 8 << 20,
        max_alerts: int = 1000,
    ) -> None:
        self._scan: ScanSensor = probe.open_scan(
            ring_bytes, wanted_events(judge) if events is None else events
        )
        self._matcher, self._group, self._folder, self._max_alerts = judge, group, folder, max_alerts
        self._observer: Observer | None = None
        self._go = os.pipe()
        self._processes: list[subprocess.Popen[bytes]] = []

    def prepare(self, program: Path, kind: str, loops: int, seconds: float, limit: int = 0) -> None:
        """Processes that wait for their start, and the reader."""
        more = [str(limit)] if limit else []
        for _ in range(loops):
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'read go; exec "$@"', "sh", str(program), kind, str(seconds), *more],
                stdin=self._go[0],
                stdout=subprocess.PIPE,
            )
            self._processes.append(process)
            (self._group / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
            self._scan.register(process.pid)
        unified = (self._group / "cgroup.freeze").exists()
        paths = CgroupPaths(None if unified else self._group, self._group if unified else None, self._group)
        names = self._folder / "names"
        names.touch()
        self._observer = Observer(self._scan, self._matcher, paths)
        state = start_state([p.pid for p in self._processes], boot_ns=self._scan.boot_ns)
        self._inherited = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
        scope = Scope(max_alerts=self._max_alerts, max_records=10_000)
        self._observer.start(ReaderSpec(state, names, scope))

    def start(self) -> None:
        """Let them run."""
        self._usage = os.times()
        self._started = self._usage.elapsed
        os.write(self._go[1], b"\n" * len(self._processes))

    def stop(self) -> None:
        """End the loops before their time."""
        for process in self._processes:
            process.terminate()

    def finish(self) -> RoundResult:
        """Wait until all have ended and everything is judged."""
        assert self._observer is not None
        calls = 0
        workload = 0.0
        for process in self._processes:
            assert process.stdout is not None
            calls += int(process.stdout.read() or 0)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stdout.close()
            workload += usage.ru_utime + usage.ru_stime
        flooded = os.times().elapsed - self._started
        observation, failed = self._observer.finish()
        assert not failed, failed
        reader = self._observer.usage
        assert reader is not None
        return RoundResult(
            calls=calls,
            observation=observation,
            stats=self._scan.stats(),
            seconds=os.times().elapsed - self._started,
            flood_seconds=flooded,
            reader_cpu=reader.ru_utime + reader.ru_stime,
            reader_peak_bytes=reader.ru_maxrss * 1024,
            inherited_bytes=self._inherited,
            workload_cpu=workload,
        )

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                process.wait()
        if self._observer is not None:
            self._observer.abort()
        for fd in self._go:
            os.close(fd)
        self._scan.close()


@contextlib.contextmanager
def flooding(
    probe: Probe, group: Path, judge: Matcher, events: frozenset[int] | None = None, ring_bytes: int = 8 << 20
) -> Iterator[Flooding]:
    """A Flooding with a folder of its own, tidied up."""
    with tempfile.TemporaryDirectory(prefix="judged-") as name:
        run = Flooding(probe, Path(name), group, judge, events, ring_bytes)
        try:
            yield run
        finally:
            run.close()
