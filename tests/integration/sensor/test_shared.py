"""One copy of the probe for all scans of a host: loaded once, hooked in once, given back by whoever dies."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.sensor import libbpf, live, objects, slots
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe
from tests.support.requires import needs_btf, needs_program
from tests.support.sensor_seen import only, run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run directory and bpf file system of the test's own, so that other scans of this host are not met."""
    needs_btf()
    needs_program("clang")
    folder = tmp_path / "run"
    bpf = folder / "bpf"
    bpf.mkdir(parents=True)
    assert libbpf.mount_bpf(bpf)
    monkeypatch.setattr(objects, "RUN_DIR", folder)
    monkeypatch.setattr(live, "RUN_DIR", folder)
    monkeypatch.setattr(objects, "_SYSTEM_FS", Path("/nowhere"))
    yield folder
    subprocess.run(["umount", bpf], check=True)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_program("clang")
    return object_path(tmp_path_factory.mktemp("data"))


def _program_id(probe: Probe) -> int:
    assert probe._objects is not None
    return objects._info(probe._objects.programs["sys_exit"], objects._ProgInfo()).id


def _links(program: int) -> int:
    """How many links the kernel has for a program."""
    lib, number, found = libbpf.library(), ctypes.c_uint32(), 0
    while lib.bpf_link_get_next_id(number.value, ctypes.byref(number)) == 0:
        fd = int(lib.bpf_link_get_fd_by_id(number.value))
        if fd >= 0:
            found += objects._info(fd, objects._LinkInfo()).prog_id == program
            os.close(fd)
    return found


def test_it_is_loaded_once_and_hooked_in_once(place: Path, compiled: Path) -> None:
    with Probe(compiled, shared=True) as one, Probe(compiled, shared=True) as two:
        program = _program_id(one)
        assert _program_id(two) == program
        assert _links(program) == 0
        one.attach()
        two.attach()
        assert _links(program) == 1
        one.detach()
        assert _links(program) == 1  # the other one still needs it
        two.detach()
        assert _links(program) == 0
    with Probe(compiled, shared=True) as later:
        assert _program_id(later) == program


def test_two_users_see_their_own(place: Path, compiled: Path, tmp_path: Path) -> None:
    with Probe(compiled, shared=True) as one, Probe(compiled, shared=True) as two:
        one.attach()
        two.attach()
        quiet = two.open_scan(1 << 16)
        quiet.ready()
        event = only(run(one, lambda: os.mkdir(tmp_path / "made")), "mkdir", res=0)
        assert event.args["path"] == os.fsencode(tmp_path / "made")
        assert quiet.stats().events == 0
        assert abs(event.ts - time.time_ns()) < 10_000_000_000


def test_who_is_killed_leaves_no_scan_behind(place: Path, compiled: Path) -> None:
    """Its place, its ring and its hooks are free again."""
    with Probe(compiled, shared=True) as mine:
        program = _program_id(mine)
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            other = Probe(compiled, shared=True)
            other.attach()
            other.open_scan(1 << 16).ready()
            os.write(tell, b"x")
            time.sleep(60)
            os._exit(1)
        os.read(ready, 1)
        assert _links(program) == 1
        held = mine.open_scan(1 << 16)
        assert held.number % 32 == 1  # place 0 is taken
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        deadline = time.monotonic() + 5
        while _links(program) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _links(program) == 0
        held.ready()
        again = mine.open_scan(1 << 16)
        assert again.number == 64  # its place, and not its number
        again.ready()
        held.close()
        again.close()
        for fd in (ready, tell):
            os.close(fd)


def test_a_dead_scans_ring_is_given_back(place: Path, compiled: Path) -> None:
    with Probe(compiled, shared=True) as mine:
        pid = os.fork()
        if pid == 0:
            other = Probe(compiled, shared=True)
            for _ in range(3):
                other.open_scan(1 << 16).ready()
            os._exit(0)
        os.waitpid(pid, 0)
        assert [_ring(mine, slot) for slot in range(4)] == [True, True, True, False]
        mine.open_scan(1 << 16).ready()
        assert [_ring(mine, slot) for slot in range(4)] == [True, False, False, False]


def _ring(probe: Probe, slot: int) -> bool:
    key, found = ctypes.c_uint32(slot), ctypes.c_uint32()
    fd = probe._fds["rings"]
    return bool(libbpf.library().bpf_map_lookup_elem(fd, ctypes.byref(key), ctypes.byref(found)) == 0)


def test_half_a_pin_is_loaded_anew(place: Path, compiled: Path) -> None:
    with Probe(compiled, shared=True) as one:
        first = _program_id(one)
    folder = next((place / "bpf/package-hunter").iterdir())
    (folder / "sys_exit").unlink()
    with Probe(compiled, shared=True) as two:
        assert _program_id(two) != first
    assert len(list((place / "bpf/package-hunter").iterdir())) == 1


def test_without_a_bpf_file_system_everyone_loads_a_copy(
    place: Path, compiled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(objects, "RUN_DIR", tmp_path / "elsewhere")
    monkeypatch.setattr(libbpf, "mount_bpf", lambda folder: False)
    with Probe(compiled, shared=True) as probe:
        probe.attach()
        only(run(probe, lambda: os.mkdir(tmp_path / "made")), "mkdir", res=0)


def test_places_are_files_that_lock(tmp_path: Path) -> None:
    one, two = slots.Slots(tmp_path), slots.Slots(tmp_path)
    taken = [one.take() for _ in range(31)]
    last = two.take()
    assert last is not None
    assert last[0] == 31
    assert one.take() is None
    assert not list(two.free())
    first = taken[0]
    assert first is not None
    os.close(first[1])
    assert list(two.free()) == [0]
    for _, fd in [t for t in taken[1:] if t] + [last]:
        os.close(fd)
