"""More ways out of sight: data that moves without read and write, other processes' memory, arguments that change
where no kernel object tells the truth, used process ids, rings of io_uring."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from package_hunter.model.event import Extra
from package_hunter.sensor import live, state, table
from package_hunter.sensor.live import Probe
from tests.support.requires import needs_program
from tests.support.sensor_flood import compiled
from tests.support.sensor_seen import LIBC, child, drained, only, run, syscall


def test_data_moves_without_read_and_write(probe: Probe, tmp_path: Path) -> None:
    source = tmp_path / "secret"
    source.write_bytes(b"the secret")

    def code() -> None:
        reading, (out, into) = os.open(source, os.O_RDONLY), os.pipe()
        copy = os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)
        assert os.sendfile(copy, reading, 0, 10) == 10
        assert syscall("copy_file_range", reading, None, copy, None, 10, 0) == 10
        os.lseek(reading, 0, 0)
        assert syscall("splice", reading, None, into, None, 10, 0) == 10
        assert syscall("tee", out, os.pipe()[1], 10, 0) == 10
        assert syscall("splice", out, None, copy, None, 10, 1) == 10

    seen = run(probe, code)
    opened = {e.args["name"]: e.res for e in seen if e.name == "openat"}
    reading, copy = opened[os.fsencode(source)], opened[os.fsencode(tmp_path / "copy")]
    sent = only(seen, "sendfile", res=10)
    assert (sent.args["in_fd"], sent.args["out_fd"], sent.args["size"]) == (reading, copy, 10)
    copied = only(seen, "copy_file_range", res=10)
    assert (copied.args["fdin"], copied.args["fdout"], copied.args["len"]) == (reading, copy, 10)
    into, out = [e for e in seen if e.name == "splice"]
    assert (into.args["fd_in"], into.args["size"], out.args["fd_out"], out.args["flags"]) == (
        reading,
        10,
        copy,
        1,
    )


def test_another_process_is_written_into(probe: Probe) -> None:
    def code() -> None:
        word = ctypes.create_string_buffer(b"innocent", 8)
        pid = os.fork()
        if pid == 0:
            time.sleep(5)
            os._exit(0)
        mine = ctypes.create_string_buffer(b"injected", 8)
        local = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(mine), 8))
        remote = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(word), 8))
        assert syscall("process_vm_writev", pid, local, 1, remote, 1, 0) == 8
        assert syscall("process_vm_readv", pid, local, 1, remote, 1, 0) == 8
        assert syscall("ptrace", 0x4206, pid, None, None) == 0  # SEIZE
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    seen = run(probe, code)
    target = next(e.res for e in seen if e.name in ("clone", "clone3", "fork") and e.res > 0)
    written = only(seen, "process_vm_writev", res=8)
    assert (written.args["pid"], written.args["data"]) == (target, b"injected")
    assert only(seen, "process_vm_readv", res=8).args["pid"] == target
    assert only(seen, "ptrace", res=0).args["pid"] == target


def test_an_address_is_rewritten_during_connect(probe: Probe, tmp_path: Path) -> None:
    """The connect waits for a full listener; meanwhile another thread names another socket."""
    real, lie = os.fsencode(tmp_path / "real"), os.fsencode(tmp_path / "liar")

    def code() -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(real)
        server.listen(0)
        first = socket.socket(socket.AF_UNIX)
        first.connect(real)
        address = ctypes.create_string_buffer(struct.pack("<H", 1) + real, 110)

        def rewrite() -> None:
            time.sleep(0.2)
            ctypes.memmove(ctypes.addressof(address) + 2, lie, len(lie))
            server.accept()

        threading.Thread(target=rewrite).start()
        second = socket.socket(socket.AF_UNIX)
        syscall("connect", second.fileno(), address, 3 + len(real))
        os._exit(0)

    events = [e for e in run(probe, code) if e.name == "connect"]
    changed = [e for e in events if Extra.TAMPER in e.extra]
    assert len(changed) == 1
    assert changed[0].args["addr"] == b"\x01" + lie + b"\0"
    assert changed[0].extra[Extra.TAMPER][2:].startswith(real)
    assert changed[0].args["tuple"].endswith(real + b"\0")  # what the kernel connected it to


def test_a_path_that_changes_all_the_time(probe: Probe, tmp_path: Path) -> None:
    """No kernel object tells what an unlink that failed was for: the change itself is what is reported."""
    needs_program("cc")
    program = compiled(tmp_path)
    for _ in range(60):  # both threads have to run at once, which a busy machine does not always allow
        scan = probe.open_scan(16 << 20, table.full_events(), hold=False)
        try:
            with child(lambda: os.execv(program, ["flood", "race", "60", "10000"])) as (pid, start):
                scan.register(pid)
                start()
            unlinks = [e for e in drained(scan) if e.name == "unlink"]
        finally:
            scan.close()
        assert len(unlinks) == 10_000
        if changed := [e for e in unlinks if Extra.TAMPER in e.extra]:
            break
    assert changed
    assert all(e.extra[Extra.TAMPER].rstrip(b"\0") != e.args["path"] for e in changed)


def test_a_used_process_id(probe: Probe) -> None:
    """The same number for two processes: their starts differ."""
    last = Path("/proc/sys/kernel/ns_last_pid")

    def code() -> None:
        first = os.fork()
        if first == 0:
            os._exit(0)
        os.waitpid(first, 0)
        for _ in range(200):
            last.write_text(str(first - 1))
            second = os.fork()
            if second == 0:
                os._exit(0)
            os.waitpid(second, 0)
            if second == first:
                return
        os._exit(3)

    born = [e for e in run(probe, code) if e.name in ("clone", "clone3", "fork") and e.res == 0]
    assert born[0].tid == born[-1].tid
    assert born[0].extra[Extra.START] != born[-1].extra[Extra.START]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_a_ring_of_io_uring_is_seen_being_made_and_used(probe: Probe) -> None:
    def code() -> None:
        parameters = ctypes.create_string_buffer(120)
        ring = syscall("io_uring_setup", 8, parameters)
        if ring >= 0:
            syscall("io_uring_enter", ring, 0, 0, 1, None, 0)
            syscall("io_uring_register", ring, 3, None, 0)

    seen = run(probe, code)
    made = only(seen, "io_uring_setup")
    assert made.args["entries"] == 8
    if made.res >= 0:
        assert (made.args["sq_entries"], made.args["cq_entries"]) == (8, 16)
        assert only(seen, "io_uring_enter").args["fd"] == made.res
        assert only(seen, "io_uring_register").args["opcode"] == 3


def test_a_writable_mapping_of_a_file_that_is_open(probe: Probe, tmp_path: Path) -> None:
    """The write itself makes no call; the mapping of that descriptor does."""
    (tmp_path / "file").write_bytes(bytes(4096))

    def code() -> None:
        fd = os.open(tmp_path / "file", os.O_RDWR)
        LIBC.mmap.restype = ctypes.c_void_p
        address = LIBC.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0))
        ctypes.memmove(address, b"evil", 4)
        LIBC.msync(ctypes.c_void_p(address), ctypes.c_size_t(4096), 4)
        os._exit(0)

    seen = run(probe, code)
    opened = only(seen, "openat", name=os.fsencode(tmp_path / "file"))
    assert opened.args["flags"] & 3 == 3
    assert any(
        e.args["fd"] == opened.res and e.args["prot"] == 3 and e.args["flags"] & 1
        for e in seen
        if e.name == "mmap"
    )
    assert (tmp_path / "file").read_bytes()[:4] == b"evil"


def test_a_marked_file_by_another_name(probe: Probe, tmp_path: Path) -> None:
    """With a filter by path too: the inode counts, whatever leads to it."""
    target = tmp_path / "canary"
    target.write_text("x")
    (tmp_path / "other").write_text("x")
    marks = state.inodes(os.getpid(), {str(target): "canary", str(tmp_path / "missing"): "no"})
    ((device, number),) = marks
    scan = probe.open_scan(1 << 20)
    try:
        scan.set_filter([], open_prefixes=[b"/nowhere/at/all", live.inode_prefix(number)])

        def code() -> None:
            os.link(target, tmp_path / "plain")
            os.rename(tmp_path / "plain", tmp_path / "plainer")
            for name in ("plainer", "other"):
                os.open(tmp_path / name, os.O_RDONLY)

        with child(code) as (pid, start):
            scan.register(pid)
            start()
        opened = [
            e
            for e in drained(scan)
            if e.name == "openat" and e.res >= 0 and e.path.startswith(os.fsencode(tmp_path))
        ]
    finally:
        scan.close()
    assert [(e.path, e.args["ino"], e.args["dev"]) for e in opened] == [
        (os.fsencode(tmp_path / "plainer"), number, device)
    ]
