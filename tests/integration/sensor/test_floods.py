"""A flood slows itself down; nothing is lost, and a neighbour notices nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from package_hunter.sensor.live import Probe
from tests.support.requires import needs_program
from tests.support.sensor_flood import cgroup, compiled, flood


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_program("cc")
    return compiled(tmp_path_factory.mktemp("flood"))


@pytest.mark.parametrize(
    ("kind", "loops"),
    [("open", 2), ("open", 4), ("path", 2), ("write", 2), ("connect", 2), ("exec", 2), ("fork", 2)],
)
def test_nothing_is_lost(probe: Probe, program: Path, kind: str, loops: int) -> None:
    with cgroup() as group:
        result = flood(probe, program, kind, loops, 1.0, group, ring_bytes=4 << 20)
    assert result.stats.lost == 0
    assert result.stats.orphans == 0
    assert result.received == result.stats.events
    assert result.stats.events >= (result.calls if kind not in ("exec", "fork") else result.calls // 64 * 3)
    assert result.peak < 1.0


def test_back_pressure_freezes_and_thaws(probe: Probe, program: Path) -> None:
    with cgroup() as group:
        result = flood(probe, program, "path", 2, 1.0, group, ring_bytes=256 << 10)
    assert result.freezes > 0
    assert result.frozen_seconds > 0
    assert result.received == result.stats.events


def test_a_ring_that_overflows_says_so(probe: Probe, program: Path) -> None:
    """Without back-pressure and with a tiny ring: what is lost is counted, with time, thread and kind."""
    result = flood(probe, program, "path", 2, 0.5, None, ring_bytes=16 << 10)
    stats = result.stats
    assert stats.lost > 0
    assert sum(stats.lost_by_type.values()) == stats.lost
    assert {"openat", "close"} & set(stats.lost_by_type)
    assert 0 < stats.first_lost_ns <= stats.last_lost_ns
    assert stats.last_lost_tid > 0
    assert f"{stats.lost} events were lost" in stats.loss()
    assert f"thread {stats.last_lost_tid}" in stats.loss()
    assert result.received == stats.events


def test_a_quiet_neighbour(probe: Probe, program: Path) -> None:
    with cgroup() as noisy, cgroup() as quiet:
        other: list[object] = []

        def noise() -> None:
            other.append(flood(probe, program, "open", 2, 1.0, noisy, ring_bytes=1 << 20))

        thread = threading.Thread(target=noise)
        thread.start()
        result = flood(probe, program, "getppid", 1, 1.0, quiet, ring_bytes=1 << 20)
        thread.join()
    assert result.stats.lost == 0
    assert result.freezes == 0
    assert len(other) == 1


def test_32_scans_at_a_time_and_no_more(probe: Probe) -> None:
    from package_hunter.errors import SensorError

    scans = [probe.open_scan(1 << 14) for _ in range(32)]
    try:
        with pytest.raises(SensorError, match="All 32 places"):
            probe.open_scan(1 << 14)
    finally:
        for scan in scans:
            scan.close()
    probe.open_scan(1 << 14).close()
