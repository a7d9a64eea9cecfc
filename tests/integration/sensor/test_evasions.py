"""What malware does to get out of sight, each tried on the real kernel (the list in docs/sensor.md)."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.model.event import Extra
from package_hunter.sensor.live import Probe
from tests.support.sensor_seen import LIBC, Sighting, only, run, syscall

MARK = b"/etc/hostname"
x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="x86's own entries")


def _mark() -> None:
    os.close(os.open(MARK, os.O_RDONLY))


def _marks(seen: list[Sighting]) -> list[Sighting]:
    return [e for e in seen if e.name == "openat" and e.args["name"] == MARK]


def test_thread(probe: Probe) -> None:
    def code() -> None:
        thread = threading.Thread(target=_mark)
        thread.start()
        thread.join()

    event = _marks(run(probe, code))[0]
    assert event.res >= 0


def test_vfork_and_exec(probe: Probe) -> None:
    seen = run(probe, lambda: subprocess.run(["/bin/cat", MARK], stdout=subprocess.DEVNULL, check=True))
    assert any(e.name == "vfork" for e in seen)
    assert _marks(seen)[0].tid == only(seen, "execve", res=0).tid


def test_double_fork_setsid_orphan(probe: Probe) -> None:
    def code() -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.1)  # until both parents have gone
                _mark()
            os._exit(0)

    assert len(_marks(run(probe, code))) == 1


def test_clone_parent(probe: Probe) -> None:
    """The child's parent is outside of the scan; it is a member all the same."""

    def code() -> None:
        if syscall("clone", 0x8000 | signal.SIGCHLD, None, None, None, None) == 0:
            _mark()
            os._exit(0)
        time.sleep(0.05)

    event = _marks(run(probe, code))[0]
    assert event.res >= 0


def test_leader_ends_first(probe: Probe) -> None:
    def code() -> None:
        threading.Thread(target=lambda: (time.sleep(0.1), _mark())).start()
        syscall("exit", 0)  # this thread alone

    seen = run(probe, code)
    event = _marks(seen)[0]
    assert event.ts > min(e.ts for e in seen if e.name == "procexit")


def test_exec_from_another_thread(probe: Probe) -> None:
    def code() -> None:
        threading.Thread(target=lambda: os.execv("/bin/cat", ["cat", MARK])).start()
        time.sleep(5)

    seen = run(probe, code)
    event = only(seen, "execve", res=0)
    assert event.tid == event.args["pid"]
    assert _marks(seen)[0].tid == event.tid


def test_memfd_and_execveat(probe: Probe) -> None:
    def code() -> None:
        fd = os.memfd_create("hidden", 0)
        os.write(fd, Path("/bin/true").read_bytes())
        syscall(
            "execveat", fd, b"", (ctypes.c_char_p * 2)(b"innocent", None), (ctypes.c_char_p * 1)(None), 0x1000
        )

    event = only(run(probe, code), "execve", res=0)
    assert event.args["flags"] & 4  # EXE_FROM_MEMFD
    assert event.args["trusted_exepath"] == b"memfd:hidden"
    assert event.args["exe"] == b"innocent"


def test_proc_self_exe(probe: Probe) -> None:
    def code() -> None:
        os.execv("/proc/self/exe", ["x", "-c", "pass"])

    event = only(run(probe, code), "execve", res=0)
    assert event.args["filename"] == b"/proc/self/exe"
    assert event.args["trusted_exepath"] == os.readlink("/proc/self/exe").encode()


def test_200_kb_of_arguments(probe: Probe) -> None:
    def code() -> None:
        os.execv("/bin/true", ["true", "a" * 100_000, "b" * 100_000])

    event = only(run(probe, code), "execve", res=0)
    assert event.args["trusted_exepath"].endswith(b"/true")
    assert len(event.args["args"]) == 0x5FFF
    assert event.args["args"].rstrip(b"\0") == b"a" * 0x5FFE


@pytest.mark.parametrize("way", ["directory", "symlink", "root", "cwd", "dots", "bind"])
def test_path_tricks(probe: Probe, tmp_path: Path, way: str) -> None:
    target = tmp_path / "secret"
    target.write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(".")

    def code() -> None:
        os.chdir(tmp_path)
        folder = os.open(tmp_path, os.O_PATH)
        if way == "bind":
            assert syscall("unshare", 0x20000) == 0
            assert syscall("mount", b"none", b"/", None, 0x44000, None) == 0
            assert syscall("mount", b".", b"other", None, 0x1000, None) == 0
        ways: dict[str, Callable[[], int]] = {
            "directory": lambda: os.open("secret", os.O_RDONLY, dir_fd=folder),
            "symlink": lambda: os.open("link/link/secret", os.O_RDONLY),
            "root": lambda: os.open(f"/proc/self/root{target}", os.O_RDONLY),
            "cwd": lambda: os.open("/proc/self/cwd/secret", os.O_RDONLY),
            "dots": lambda: os.open(
                f"other/..//./{tmp_path.name}/../secret".replace(f"{tmp_path.name}/../", ""), 0
            ),
            "bind": lambda: os.open("other/secret", os.O_RDONLY),
        }
        os.read(ways[way](), 1)

    info = target.stat()
    event = next(e for e in run(probe, code) if e.name == "openat" and e.args["ino"] == info.st_ino)
    expected = tmp_path / "other/secret" if way == "bind" else target
    assert event.path == os.fsencode(expected)


def test_hard_link_and_rename_keep_the_inode(probe: Probe, tmp_path: Path) -> None:
    target = tmp_path / "canary"
    target.write_text("x")

    def code() -> None:
        os.chdir(tmp_path)
        os.link("canary", "plain")
        os.rename("plain", "plainer")
        os.open("plainer", os.O_RDONLY)

    event = only(run(probe, code), "openat", name=b"plainer")
    assert event.args["ino"] == target.stat().st_ino


def test_deep_path_is_marked(probe: Probe, tmp_path: Path) -> None:
    def code() -> None:
        os.chdir(tmp_path)
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        os.open("end", os.O_CREAT | os.O_WRONLY)

    path = only(run(probe, code), "openat", name=b"end").path
    assert path is not None
    assert path.startswith(b".../") and path.endswith(b"d/end")


@pytest.mark.parametrize("name", [b"new\nline", b"\x1b[2Jclear", b"\xff\xfe\xc3(", b"a" * 255])
def test_hostile_names(probe: Probe, tmp_path: Path, name: bytes) -> None:
    def code() -> None:
        os.chdir(tmp_path)
        os.open(name, os.O_CREAT | os.O_WRONLY)

    event = only(run(probe, code), "openat", name=name)
    assert event.path == os.fsencode(tmp_path) + b"/" + name


def test_argument_rewritten_during_open(probe: Probe, tmp_path: Path) -> None:
    """The open blocks on a fifo; meanwhile another thread puts another path there."""
    fifo = os.fsencode(tmp_path / "fifo")
    os.mkfifo(fifo)
    lie = b"/usr/share/harmless"

    def code() -> None:
        buffer = ctypes.create_string_buffer(fifo, 256)

        def rewrite() -> None:
            time.sleep(0.1)
            ctypes.memmove(buffer, lie + b"\0", len(lie) + 1)
            os.open(fifo, os.O_WRONLY)

        threading.Thread(target=rewrite).start()
        syscall("openat", -100, buffer, os.O_RDONLY)

    event = only(run(probe, code), "openat", name=lie)
    assert event.extra[Extra.TAMPER] == fifo + b"\0"
    assert event.path == fifo


def test_unchanged_arguments_are_no_tampering(probe: Probe) -> None:
    assert all(Extra.TAMPER not in e.extra for e in run(probe, lambda: [_mark() for _ in range(50)]))


def test_argument_page_taken_away(probe: Probe, tmp_path: Path) -> None:
    fifo = os.fsencode(tmp_path / "fifo")
    os.mkfifo(fifo)

    def code() -> None:
        page = mmap.mmap(-1, 4096)
        page.write(fifo + b"\0")
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))

        def take() -> None:
            time.sleep(0.1)
            LIBC.munmap(ctypes.c_void_p(address), 4096)
            os.open(fifo, os.O_WRONLY)

        threading.Thread(target=take).start()
        syscall("openat", -100, address, os.O_RDONLY)
        os._exit(0)  # the mapping is gone: no tidy end

    event = next(e for e in run(probe, code) if e.name == "openat" and Extra.TAMPER in e.extra)
    assert event.args["name"] == fifo
    assert event.path == fifo


def test_path_on_a_page_that_is_not_there_yet(probe: Probe, tmp_path: Path) -> None:
    paths = tmp_path / "paths"
    paths.write_bytes(MARK + b"\0" + bytes(4096))

    def code() -> None:
        with paths.open("r+b") as file:
            page = mmap.mmap(file.fileno(), 4096)
        syscall("openat", -100, ctypes.addressof(ctypes.c_char.from_buffer(page)), os.O_RDONLY)
        os._exit(0)

    assert _marks(run(probe, code))[0].path == MARK


def test_open_by_handle(probe: Probe, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("x")

    def code() -> None:
        handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0) + bytes(128))
        mount = ctypes.c_int()
        assert syscall("name_to_handle_at", -100, os.fsencode(target), handle, ctypes.byref(mount), 0) == 0
        syscall("open_by_handle_at", os.open("/tmp", os.O_RDONLY), handle, os.O_RDONLY)

    event = only(run(probe, code), "open_by_handle_at")
    if event.res >= 0:
        assert event.args["path"] == os.fsencode(target)
        assert event.args["ino"] == target.stat().st_ino


def test_memory_mapped_write(probe: Probe, tmp_path: Path) -> None:
    """No write call is made; the open for writing is what shows."""
    target = tmp_path / "file"
    target.write_bytes(bytes(4096))

    def code() -> None:
        with target.open("r+b") as file, mmap.mmap(file.fileno(), 4096) as page:
            page[:4] = b"evil"

    event = only(run(probe, code), "openat", name=os.fsencode(target))
    assert event.args["flags"] & 3 == 3


def test_seccomp_answered_call(probe: Probe) -> None:
    """An ERRNO answer skips the entry hook; the arguments are read at the exit."""

    def code() -> None:
        buffer = ctypes.create_string_buffer(b"/tmp/denied", 64)
        program = struct.pack("<HBBI", 0x20, 0, 0, 0) + struct.pack("<HBBI", 0x15, 0, 1, 83)
        program += struct.pack("<HBBI", 0x06, 0, 0, 0x50000 | 13) + struct.pack(
            "<HBBI", 0x06, 0, 0, 0x7FFF0000
        )
        filters = ctypes.create_string_buffer(program)
        header = struct.pack("<HxxxxxxQ", 4, ctypes.addressof(filters))
        assert syscall("prctl", 38, 1, 0, 0, 0) == 0
        assert syscall("seccomp", 1, 0, ctypes.create_string_buffer(header)) == 0
        syscall("mkdir", buffer, 0o700)

    event = only(run(probe, code), "mkdir", res=-13)
    assert event.args["path"] == b"/tmp/denied"


def _machine_code(code: bytes) -> Callable[..., int]:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(
        ctypes.addressof(ctypes.c_char.from_buffer(page))
    )
    function.page = page  # type: ignore[attr-defined]
    return function


@x86
def test_32_bit_entry(probe: Probe) -> None:
    """int 0x80 with 20 is getpid there and writev here: the task's ABI decides."""

    def code() -> None:
        # push rbx; mov eax, 20; int 0x80; pop rbx; ret
        _machine_code(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")(0)
        # mov ebx, edi (the number of a signal: 0); push rbx; mov eax, 37 (kill); ...
        _machine_code(b"\x53\xbb\x01\x00\x00\x00\x31\xc9\xb8\x25\x00\x00\x00\xcd\x80\x5b\xc3")(0)
        os._exit(0)

    seen = run(probe, code)
    assert not [e for e in seen if e.name == "writev"]
    foreign = [e for e in seen if e.extra.get(Extra.ABI) == b"\x01"]
    assert [e.args.get("nativeID") for e in foreign if e.name == "syscall"] == [20]
    assert only(foreign, "kill").args == {"res": foreign[1].res, "pid": 1, "sig": 0}


@x86
def test_a_path_through_the_32_bit_entry(probe: Probe) -> None:
    """umount exists only there, and its path lies below 4 GB."""

    def code() -> None:
        LIBC.mmap.restype = ctypes.c_void_p
        low = LIBC.mmap(None, 4096, 3, 0x62, -1, 0)  # MAP_PRIVATE, _ANONYMOUS, _32BIT
        ctypes.memmove(low, b"/nowhere/x\0", 11)
        # push rbx; mov ebx, edi; mov eax, 22; int 0x80; pop rbx; ret
        _machine_code(b"\x53\x89\xfb\xb8\x16\x00\x00\x00\xcd\x80\x5b\xc3")(low)
        os._exit(0)

    event = only(run(probe, code), "umount")
    assert (event.res, event.args["name"], event.extra[Extra.ABI]) == (-2, b"/nowhere/x", b"\x01")


@x86
def test_x32_entry(probe: Probe) -> None:
    def code() -> None:
        LIBC.syscall(ctypes.c_long(0x40000000 | 83), b"/tmp/x32", 0o700)
        os._exit(0)

    event = only(run(probe, code), "mkdir")
    assert event.extra[Extra.ABI] == b"\x01"
    assert event.args["path"] == b"/tmp/x32"
    Path("/tmp/x32").rmdir() if event.res == 0 else None


@x86
def test_killed_32_bit_entry(probe: Probe) -> None:
    """seccomp kills on the foreign architecture: exit without entry, and still told."""

    def code() -> None:
        program = struct.pack("<HBBI", 0x20, 0, 0, 4) + struct.pack("<HBBI", 0x15, 1, 0, 0xC000003E)
        program += struct.pack("<HBBI", 0x06, 0, 0, 0x80000000) + struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)
        filters = ctypes.create_string_buffer(program)
        header = struct.pack("<HxxxxxxQ", 4, ctypes.addressof(filters))
        run_it = _machine_code(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")
        assert syscall("prctl", 38, 1, 0, 0, 0) == 0
        assert syscall("seccomp", 1, 0, ctypes.create_string_buffer(header)) == 0
        run_it(0)

    seen = run(probe, code)
    assert [e.args["nativeID"] for e in seen if e.extra.get(Extra.ABI)] == [20]
    assert only(seen, "procexit").args["sig"] == signal.SIGSYS


def test_preload_is_in_the_environment(probe: Probe) -> None:
    def code() -> None:
        os.execve("/bin/true", ["true"], {"LD_PRELOAD": "/tmp/evil.so", "LD_AUDIT": "/tmp/audit.so"})

    event = only(run(probe, code), "execve", res=0)
    assert event.args["env"] == b"LD_PRELOAD=/tmp/evil.so\0LD_AUDIT=/tmp/audit.so\0"


def test_membership_does_not_leak_to_others(probe: Probe) -> None:
    """What is not a descendant is not seen, even with the same program at the same time."""
    other = subprocess.Popen(
        ["/bin/sh", "-c", f"for i in 1 2 3 4 5; do cat {MARK.decode()}; sleep 0.05; done"],
        stdout=subprocess.DEVNULL,
    )
    seen = run(probe, lambda: time.sleep(0.2))
    other.wait()
    assert not _marks(seen)
