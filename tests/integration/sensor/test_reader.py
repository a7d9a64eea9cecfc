"""The reader apart: confined to nothing, it still reads its ring and holds back the scan."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from package_hunter.confine import confine
from package_hunter.errors import SensorError
from package_hunter.sensor import libbpf, objects, table
from package_hunter.sensor.build import compile_to
from package_hunter.sensor.freezer import Feed, Freezer, take_priority
from package_hunter.sensor.live import Probe
from package_hunter.sensor.ring import Ring
from package_hunter.sensor.state import start_state
from tests.support.requires import needs_root
from tests.support.sensor_flood import cgroup, compiled
from tests.support.sensor_seen import decode, only, run


def _read(ring: Ring, freezer: Freezer, done: int, answer: int) -> None:
    """The reader's process: drops its rights, reads until the other end of ``done`` is closed."""
    take_priority()
    confine("reader", keep_fds=[ring.fd, freezer.fd, done, answer])
    assert os.geteuid() != 0
    feed, count = Feed(ring, freezer, high=0.02, low=0.01), 0  # frozen early, so that it happens
    os.set_blocking(done, False)
    while True:
        try:
            ended = os.read(done, 1) == b""
        except BlockingIOError:
            ended = False
        events = feed.read(0.01)
        for _, raw in events[:1]:
            decode(raw)
        count += len(events)
        if ended and not events:
            break
    os.write(answer, f"{count} {freezer.times}".encode())
    os._exit(0)


def test_confined_reader(probe: Probe, tmp_path: Path) -> None:
    program = compiled(tmp_path)
    with cgroup() as group:
        scan = probe.open_scan(4 << 20, table.full_events())
        ring, freezer = Ring(scan.ring_fd, 4 << 20), Freezer(group)
        done_r, done_w = os.pipe()
        answer_r, answer_w = os.pipe()
        reader = os.fork()
        if reader == 0:
            os.close(done_w)
            try:
                _read(ring, freezer, done_r, answer_w)
            finally:
                os._exit(1)
        go_r, go_w = os.pipe()
        flood = subprocess.Popen(
            ["/bin/sh", "-c", 'read go; exec "$@"', "sh", program, "path", "1"], stdin=go_r
        )
        (group / "cgroup.procs").write_text(str(flood.pid), encoding="ascii")
        scan.register(flood.pid)
        os.write(go_w, b"\n")
        assert flood.wait() == 0
        os.close(done_w)
        _, status = os.waitpid(reader, 0)
        assert status == 0
        count, freezes = (int(n) for n in os.read(answer_r, 100).split())
        stats = scan.stats()
        assert stats.lost == 0
        assert count == stats.events > 1000
        assert freezes > 0
        for fd in (done_r, answer_r, answer_w, go_r, go_w):
            os.close(fd)
        freezer.close()
        ring.close()
        scan.close()


def test_start_state_is_this_process() -> None:
    state = start_state(os.getpid(), boot_ns=5)
    (me,) = state.processes
    assert (me.pid, me.tid, me.ptid) == (os.getpid(), os.getpid(), os.getppid())
    assert (me.pgid, me.sid) == (os.getpgid(0), os.getsid(0))
    assert me.cwd == os.fsencode(Path.cwd())
    assert os.fsencode(Path("/proc/self/exe").readlink()) == me.exepath
    assert me.uid == os.geteuid()
    assert me.exe_ino == Path("/proc/self/exe").stat().st_ino
    assert {0, 1, 2} <= {fd.fd for fd in me.fds}
    assert state.boot_ns == 5


def test_start_state_of_nobody() -> None:
    with pytest.raises(SensorError, match="ended before"):
        start_state(1 << 22)


def test_register_nobody(probe: Probe) -> None:
    scan = probe.open_scan(1 << 14)
    with pytest.raises(SensorError, match="cannot be watched"):
        scan.register(1 << 22)
    scan.close()


def test_bad_ring_size(probe: Probe) -> None:
    with pytest.raises(SensorError, match="power of two"):
        probe.open_scan(5000)


def test_broken_object_explains_itself(tmp_path: Path) -> None:
    needs_root()
    broken = tmp_path / "probe.o"
    broken.write_bytes(b"\x7fELF not really")
    with pytest.raises(SensorError, match="cannot be opened"):
        Probe(broken)


@pytest.mark.parametrize(("number", "words"), [(1, "does not let us load"), (22, "refused the probe")])
def test_refusals_explain_themselves(number: int, words: str) -> None:
    libbpf.log[:] = ["libbpf: prog 'sys_exit': failed to load: -22"]
    error = objects.load_error(number, verbose=True)
    assert words in error.message
    assert error.advice


def test_ordinary_user_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SensorError, match="only be loaded by root"):
        Probe(tmp_path / "x")


def test_a_kernel_that_cannot_be_read_in_place(tmp_path: Path) -> None:
    """Before 6.2 there is no function that says what lies at an address: then structures are read by calls."""
    needs_root()
    compile_to(tmp_path / "old.o", platform.machine(), ("READ_CAST=a_function_that_no_kernel_has",))
    (tmp_path / "file").write_text("x")
    with Probe(tmp_path / "old.o") as old:
        old.attach()
        event = only(
            run(old, lambda: os.open(tmp_path / "file", os.O_RDONLY)),
            "openat",
            name=os.fsencode(tmp_path / "file"),
        )
    assert event.path == os.fsencode(tmp_path / "file")
    assert event.args["ino"] == (tmp_path / "file").stat().st_ino


def test_two_probes_do_not_mix(probe: Probe, tmp_path: Path) -> None:
    """Two workers on a host, each with its own copy: the same scan number means nothing to the other."""

    from package_hunter.sensor.build import object_path

    with Probe(object_path(tmp_path)) as other:
        other.attach()
        quiet = other.open_scan(1 << 16)
        seen = run(probe, lambda: os.mkdir(tmp_path / "one"))
        only(seen, "mkdir", res=0)
        assert quiet.stats().events == 0
        quiet.close()


def test_closed_scan_stays_silent(probe: Probe) -> None:
    """A member that outlives its scan does not write into the next one of the same place."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", "read go; cat /etc/hostname"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    old = probe.open_scan(1 << 14)
    old.register(process.pid)
    old.close()
    scans = [probe.open_scan(1 << 14) for _ in range(32)]
    process.communicate(b"\n")
    assert sum(s.stats().events for s in scans) == 0
    for scan in scans:
        scan.close()
