"""Floods through the whole reader: nothing is lost, each event is judged, memory stays bounded; and a quiet scan
beside a noisy one does not notice it. (tests/bench/sensor has the long floods.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.observe import reader as observer
from package_hunter.sensor import table
from package_hunter.sensor.live import Probe
from tests.support.requires import needs_program
from tests.support.sensor_flood import cgroup, compiled
from tests.support.sensor_judged import Flooding, RoundResult, engine, flooding

PEAK_BYTES = 192 << 20  # what the reader may grow by, ring included; it has 60-70 MB in all after any flood


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_program("cc")
    return compiled(tmp_path_factory.mktemp("flood"))


def _whole(result: RoundResult) -> None:
    """What the probe wrote is what was judged, to the event."""
    assert result.stats.lost == 0
    assert result.stats.orphans == 0
    assert result.observation.events == result.stats.events
    assert result.reader_peak_bytes - result.inherited_bytes < PEAK_BYTES


@pytest.mark.parametrize(
    ("kind", "loops", "calls_a_match", "full"),
    [
        ("open", 2, 2, False),
        ("open", 4, 2, False),
        ("open", 4, 2, True),
        ("path", 2, 2, False),
        ("connect", 2, 3, False),
        ("exec", 2, 64, False),
        ("write", 2, 1, True),
    ],
)
def test_every_event_is_judged(
    probe: Probe, program: Path, kind: str, loops: int, calls_a_match: int, full: bool
) -> None:
    """A rule matches each call of the flood, so its alerts are as many as the calls. ``full``: as a recorded
    scan, with every call that the probe knows."""
    events = table.full_events() if full else None
    with cgroup() as group, flooding(probe, group, engine(proof=True), events) as flood:
        flood.prepare(program, kind, loops, 0.4)
        flood.start()
        result = flood.finish()
    _whole(result)
    assert result.proofs == result.calls // calls_a_match > 0


@pytest.mark.parametrize(("kind", "event"), [("noexec", "execve"), ("rename", "rename")])
def test_large_events_cannot_outrun_the_freezer(probe: Probe, program: Path, kind: str, event: str) -> None:
    """Calls that fail at once and make 40 or 8 KB of event: gigabytes a second, faster than a scan can be
    frozen. The hooks hold such a scan back until it is."""
    with cgroup() as group, flooding(probe, group, engine(proof=False), ring_bytes=4 << 20) as flood:
        flood.prepare(program, kind, 4, 0.5)
        flood.start()
        result = flood.finish()
    _whole(result)
    assert result.stats.by_type[event] >= result.calls > 0
    assert kind == "rename" or result.stats.held_ns > 0


def test_a_small_ring_holds_the_flood_back(probe: Probe, program: Path) -> None:
    """Judging is slower than the flood: it is frozen instead of lost, and the observation says for how long."""
    with cgroup() as group, flooding(probe, group, engine(proof=False), ring_bytes=256 << 10) as flood:
        flood.prepare(program, "open", 2, 0.4)
        flood.start()
        result = flood.finish()
    _whole(result)
    assert 0 < result.observation.frozen_seconds < result.seconds


def test_a_reader_out_of_memory_says_so(
    probe: Probe, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, its scan is not left frozen, and nothing that it saw is taken for the whole."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    used = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmData"))
    monkeypatch.setattr(observer, "_MAX_MEMORY_BYTES", used + (48 << 20))
    with cgroup() as group:
        flood = Flooding(probe, tmp_path, group, engine(proof=True), max_alerts=10**9)
        try:
            flood.prepare(program, "open", 2, 60.0, limit=150_000)
            flood.start()
            with pytest.raises(AssertionError, match=r"ended unexpectedly.*Memory"):
                flood.finish()
        finally:
            flood.close()


def test_a_quiet_scan_beside_a_noisy_one(probe: Probe, program: Path) -> None:
    """The noisy one is frozen and thawed all the time; the quiet one is never, and loses nothing."""
    judge = engine(proof=True)
    with (
        cgroup() as loud_group,
        cgroup() as quiet_group,
        flooding(probe, loud_group, judge, ring_bytes=256 << 10) as loud,
        flooding(probe, quiet_group, judge, ring_bytes=4 << 20) as quiet,
    ):
        loud.prepare(program, "open", 4, 1.2)
        quiet.prepare(program, "exec", 1, 0.8)
        loud.start()
        quiet.start()
        calm, noise = quiet.finish(), loud.finish()
    _whole(noise)
    assert noise.observation.frozen_seconds > 0
    _whole(calm)
    assert calm.observation.frozen_seconds == 0
    assert calm.proofs == calm.calls // 64 > 0
