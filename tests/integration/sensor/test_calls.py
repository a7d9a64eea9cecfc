# ruff: noqa: E501  (tables of cases)
"""Every call is made to succeed and to fail on the real kernel; its event carries exactly the arguments and the
result, in Falco's encoding. A case is (events expected, code): the events' arguments are compared by name."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from package_hunter.sensor import table
from package_hunter.sensor.live import Probe
from tests.support.sensor_seen import LIBC, only, run, syscall

ENOENT, EBADF, EINVAL, EPERM, ESRCH, EEXIST, EFAULT = -2, -9, -22, -1, -3, -17, -14
FDCWD = -100
Case = tuple[str, list[tuple[str, dict[str, Any]]], Callable[[], object]]


def _buffer(data: bytes, size: int = 0) -> Any:
    return ctypes.create_string_buffer(data, size or len(data) + 1)


_IOV = struct.pack("<QQ", 1 << 20, 8)


def _files() -> list[Case]:
    d = b"/tmp"
    new, missing = b"new-file", b"/nowhere/x"
    how = struct.pack("<QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 0x08)
    return [
        ("openat create", [("openat", {"dirfd": FDCWD, "name": new, "flags": 1 << 14 | 0x2 | 4 | 256, "mode": 0o640})],
         lambda: syscall("openat", -100, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)),
        ("openat missing", [("openat", {"fd": ENOENT, "name": missing, "flags": 1, "dev": 0, "ino": 0})],
         lambda: syscall("openat", -100, missing, 0)),
        ("openat bad directory", [("openat", {"fd": EBADF, "dirfd": 77, "name": b"x"})], lambda: syscall("openat", 77, b"x", 0)),
        ("open", [("open", {"name": b"/etc/passwd", "flags": 1 | 1 << 12})], lambda: syscall("open", b"/etc/passwd", os.O_CLOEXEC)),
        ("open missing", [("open", {"fd": ENOENT, "name": missing})], lambda: syscall("open", missing, 0)),
        ("openat2", [("openat2", {"name": b"etc/passwd", "resolve": 1, "flags": 1 | 1 << 12})],
         lambda: syscall("openat2", os.open("/", os.O_PATH), b"etc/passwd", _buffer(how), 24)),
        ("openat2 refused", [("openat2", {"fd": EINVAL})], lambda: syscall("openat2", -100, b"x", _buffer(how), 3)),
        ("creat", [("creat", {"name": b"made", "mode": 0o600})], lambda: syscall("creat", b"made", 0o600)),
        ("creat missing", [("creat", {"fd": ENOENT, "name": missing})], lambda: syscall("creat", missing, 0o600)),
        ("memfd", [("memfd_create", {"name": b"mine", "flags": 1})], lambda: syscall("memfd_create", b"mine", 1)),
        ("memfd refused", [("memfd_create", {"fd": EINVAL})], lambda: syscall("memfd_create", b"mine", 0x1000)),
        ("mkdir", [("mkdir", {"res": 0, "path": b"dir", "mode": 0o750})], lambda: syscall("mkdir", b"dir", 0o750)),
        ("mkdir there", [("mkdir", {"res": EEXIST, "path": d})], lambda: syscall("mkdir", d, 0o750)),
        ("mkdirat", [("mkdirat", {"res": 0, "dirfd": FDCWD, "path": b"dir2", "mode": 0o700})], lambda: syscall("mkdirat", -100, b"dir2", 0o700)),
        ("rmdir", [("rmdir", {"res": ENOENT, "path": missing})], lambda: syscall("rmdir", missing)),
        ("unlink", [("unlink", {"res": ENOENT, "path": missing})], lambda: syscall("unlink", missing)),
        ("unlinkat", [("unlinkat", {"res": ENOENT, "dirfd": FDCWD, "name": missing, "flags": 0x200})], lambda: syscall("unlinkat", -100, missing, 0x200)),
        ("rename", [("rename", {"res": ENOENT, "oldpath": missing, "newpath": new})], lambda: syscall("rename", missing, new)),
        ("renameat", [("renameat", {"res": ENOENT, "oldpath": missing, "newpath": new, "newdirfd": FDCWD})], lambda: syscall("renameat", -100, missing, -100, new)),
        ("renameat2", [("renameat2", {"res": ENOENT, "oldpath": missing, "newpath": new, "flags": 1})], lambda: syscall("renameat2", -100, missing, -100, new, 1)),
        ("symlink", [("symlink", {"res": 0, "target": b"/etc/shadow", "linkpath": b"link"})], lambda: syscall("symlink", b"/etc/shadow", b"link")),
        ("symlinkat", [("symlinkat", {"res": 0, "target": b"t", "linkdirfd": FDCWD, "linkpath": b"l2"})], lambda: syscall("symlinkat", b"t", -100, b"l2")),
        ("link", [("link", {"res": ENOENT, "oldpath": missing, "newpath": new})], lambda: syscall("link", missing, new)),
        ("linkat", [("linkat", {"res": ENOENT, "oldpath": missing, "newpath": new, "flags": 0x400})], lambda: syscall("linkat", -100, missing, -100, new, 0x400)),
        ("mknod", [("mknod", {"res": 0, "path": b"fifo", "mode": 0o10644})], lambda: syscall("mknod", b"fifo", 0o10644, 0)),
        ("mknodat", [("mknodat", {"res": ENOENT, "path": missing})], lambda: syscall("mknodat", -100, missing, 0o10644, 0)),
        ("chmod", [("chmod", {"res": 0, "filename": b".", "mode": 0o4755})], lambda: syscall("chmod", b".", 0o4755)),
        ("fchmodat", [("fchmodat", {"res": ENOENT, "filename": missing, "mode": 0o777})], lambda: syscall("fchmodat", -100, missing, 0o777)),
        ("fchmodat2", [("fchmodat", {"res": ENOENT, "filename": missing, "mode": 0o777})], lambda: syscall("fchmodat2", -100, missing, 0o777, 0)),
        ("fchmod", [("fchmod", {"res": EBADF, "fd": 99, "mode": 0o700})], lambda: syscall("fchmod", 99, 0o700)),
        ("chown", [("chown", {"res": ENOENT, "path": missing, "uid": 5, "gid": 6})], lambda: syscall("chown", missing, 5, 6)),
        ("lchown", [("lchown", {"res": ENOENT, "path": missing})], lambda: syscall("lchown", missing, 5, 6)),
        ("fchown", [("fchown", {"res": EBADF, "fd": 99, "uid": 5, "gid": 6})], lambda: syscall("fchown", 99, 5, 6)),
        ("fchownat", [("fchownat", {"res": ENOENT, "pathname": missing, "flags": 0x1000})], lambda: syscall("fchownat", -100, missing, 5, 6, 0x1000)),
        ("chdir", [("chdir", {"res": 0, "path": b"/usr/lib/.."})], lambda: syscall("chdir", b"/usr/lib/..")),
        ("chdir missing", [("chdir", {"res": ENOENT, "path": missing})], lambda: syscall("chdir", missing)),
        ("fchdir", [("fchdir", {"res": EBADF, "fd": 99})], lambda: syscall("fchdir", 99)),
        ("chroot", [("chroot", {"res": ENOENT, "path": missing})], lambda: syscall("chroot", missing)),
        ("mount", [("mount", {"res": ENOENT, "dev": b"tmpfs", "dir": missing, "type": b"tmpfs", "flags": 2})], lambda: syscall("mount", b"tmpfs", missing, b"tmpfs", 2, None)),
        ("umount2", [("umount2", {"res": ENOENT, "name": missing, "flags": 2})], lambda: syscall("umount2", missing, 2)),
        ("copy_file_range", [("copy_file_range", {"res": EBADF, "fdin": 98, "fdout": 99, "len": 5})], lambda: syscall("copy_file_range", 98, None, 99, None, 5, 0)),
        ("splice", [("splice", {"res": EBADF, "fd_in": 98, "fd_out": 99, "size": 7, "flags": 1})], lambda: syscall("splice", 98, None, 99, None, 7, 1)),
        ("sendfile", [("sendfile", {"res": EBADF, "out_fd": 98, "in_fd": 99, "size": 3})], lambda: syscall("sendfile", 98, 99, None, 3)),
        ("setxattr", [("syscall", {"nativeID": 188})], lambda: syscall("setxattr", b"/tmp", b"user.x", b"v", 1, 0)),
    ]  # fmt: skip


def _processes() -> list[Case]:
    limits = struct.pack("<QQ", 100, 200)
    return [
        ("dup", [("dup", {"res": EBADF, "oldfd": 99})], lambda: syscall("dup", 99)),
        ("dup2", [("dup2", {"res": 0, "oldfd": 2, "newfd": 0})], lambda: syscall("dup2", 2, 0)),
        ("dup3", [("dup3", {"res": 1, "oldfd": 2, "newfd": 1, "flags": 1 << 12})], lambda: syscall("dup3", 2, 1, os.O_CLOEXEC)),
        ("fcntl", [("fcntl", {"fd": 2, "cmd": 26, "arg": 900, "res": 900})], lambda: syscall("fcntl", 2, 1030, 900)),
        ("close", [("close", {"res": EBADF, "fd": 99})], lambda: syscall("close", 99)),
        ("close_range", [("close_range", {"res": 0, "first": 90, "last": 95, "flags": 4})], lambda: syscall("close_range", 90, 95, 4)),
        ("pipe2", [("pipe2", {"res": EINVAL, "fd1": -1, "fd2": -1, "ino": 0})], lambda: syscall("pipe2", _buffer(b"", 8), 3)),
        ("eventfd2", [("eventfd2", {"initval": 4, "flags": 1 << 12})], lambda: syscall("eventfd2", 4, os.O_CLOEXEC)),
        ("epoll_create1", [("epoll_create1", {"flags": 1})], lambda: syscall("epoll_create1", os.O_CLOEXEC)),
        ("timerfd", [("timerfd_create", {"clockid": 1, "flags": 1 << 6})], lambda: syscall("timerfd_create", 1, os.O_NONBLOCK)),
        ("inotify_init1", [("inotify_init1", {"flags": 0})], lambda: syscall("inotify_init1", 0)),
        ("setuid", [("setuid", {"res": 0, "uid": 65534})], lambda: syscall("setuid", 65534)),
        ("setgid", [("setgid", {"res": 0, "gid": 65534})], lambda: syscall("setgid", 65534)),
        ("setresuid", [("setresuid", {"res": 0, "ruid": 1, "euid": 2, "suid": 3})], lambda: syscall("setresuid", 1, 2, 3)),
        ("setresgid", [("setresgid", {"res": 0, "rgid": 1, "egid": 2, "sgid": 3})], lambda: syscall("setresgid", 1, 2, 3)),
        ("setreuid", [("setreuid", {"res": 0, "ruid": 1, "euid": 2})], lambda: syscall("setreuid", 1, 2)),
        ("setregid", [("setregid", {"res": 0, "rgid": 1, "egid": 2})], lambda: syscall("setregid", 1, 2)),
        ("setpgid", [("setpgid", {"res": 0, "pid": 0, "pgid": 0})], lambda: syscall("setpgid", 0, 0)),
        ("setsid", [("setsid", {})], lambda: syscall("setsid")),
        ("capset", [("capset", {"res": EFAULT})], lambda: syscall("capset", None, None)),
        ("prctl name", [("prctl", {"res": 0, "option": 15, "arg2_str": b"liar", "arg2_int": 0})], lambda: syscall("prctl", 15, b"liar")),
        ("prctl", [("prctl", {"res": 0, "option": 38, "arg2_int": 1})], lambda: syscall("prctl", 38, 1, 0, 0, 0)),
        ("seccomp", [("seccomp", {"res": EFAULT, "op": 1, "flags": 0})], lambda: syscall("seccomp", 1, 0, None)),
        ("unshare", [("unshare", {"res": 0, "flags": 1 << 7})], lambda: syscall("unshare", 0x04000000)),
        ("unshare refused", [("unshare", {"res": EINVAL})], lambda: syscall("unshare", 0x1)),
        ("setns", [("setns", {"res": EBADF, "fd": 99, "nstype": 1 << 4})], lambda: syscall("setns", 99, 0x40000000)),
        ("prlimit", [("prlimit", {"res": 0, "newcur": 100, "newmax": 200, "resource": 7})], lambda: syscall("prlimit64", 0, 7, _buffer(limits), None)),
        ("ptrace", [("ptrace", {"res": 0, "request": 1, "data": bytes(9)})], lambda: syscall("ptrace", 0, 0, None, None)),
        ("ptrace attach", [("ptrace", {"res": ESRCH, "request": 11, "pid": 1 << 22})], lambda: syscall("ptrace", 16, 1 << 22, None, None)),
        ("kill", [("kill", {"res": ESRCH, "pid": 1 << 22, "sig": 9})], lambda: syscall("kill", 1 << 22, 9)),
        ("tgkill", [("tgkill", {"res": ESRCH, "pid": 1 << 22, "tid": 1 << 22, "sig": 10})], lambda: syscall("tgkill", 1 << 22, 1 << 22, 10)),
        ("bpf", [("bpf", {"cmd": 5})], lambda: syscall("bpf", 5, None, 0)),
        ("init_module", [("init_module", {"length": 4, "img": b"junk", "uargs": b"a=1"})], lambda: syscall("init_module", b"junk", 4, b"a=1")),
        ("finit_module", [("finit_module", {"fd": 99, "uargs": b"a=1", "flags": 1})], lambda: syscall("finit_module", 99, b"a=1", 1)),
        ("delete_module", [("delete_module", {"name": b"nomodule", "flags": 1})], lambda: syscall("delete_module", b"nomodule", os.O_TRUNC)),
        ("io_uring_setup", [("io_uring_setup", {"entries": 8})], lambda: syscall("io_uring_setup", 8, _buffer(b"", 120))),
        ("io_uring_setup bad", [("io_uring_setup", {"res": EFAULT, "entries": 8})], lambda: syscall("io_uring_setup", 8, None)),
        ("userfaultfd", [("userfaultfd", {"flags": os.O_CLOEXEC})], lambda: syscall("userfaultfd", os.O_CLOEXEC)),
        ("process_vm_writev", [("process_vm_writev", {"res": ESRCH, "pid": 1 << 22})], lambda: syscall("process_vm_writev", 1 << 22, _IOV, 1, _IOV, 1, 0)),
        ("process_vm_readv", [("process_vm_readv", {"res": ESRCH, "pid": 1 << 22})], lambda: syscall("process_vm_readv", 1 << 22, _IOV, 1, _IOV, 1, 0)),
        ("getresuid", [("getresuid", {"res": 0, "ruid": os.getuid(), "euid": os.geteuid(), "suid": os.geteuid()})],
         lambda: syscall("getresuid", *[_buffer(b"", 4) for _ in range(3)])),
        ("getresuid bad", [("getresuid", {"res": EFAULT})], lambda: syscall("getresuid", None, None, None)),
        ("getresgid", [("getresgid", {"res": 0, "rgid": os.getgid(), "egid": os.getegid(), "sgid": os.getegid()})],
         lambda: syscall("getresgid", *[_buffer(b"", 4) for _ in range(3)])),
        ("getresgid bad", [("getresgid", {"res": EFAULT})], lambda: syscall("getresgid", None, None, None)),
        ("semop bad", [("semop", {"res": EINVAL, "semid": 1 << 30, "nsops": 1, "sem_num_0": 0, "sem_op_0": 0})],
         lambda: syscall("semop", 1 << 30, _SEMS, 1)),
        ("semop", [("semop", {"res": 0, "nsops": 2, "sem_num_0": 1, "sem_op_0": 3, "sem_flg_0": 1, "sem_num_1": 0, "sem_op_1": 2, "sem_flg_1": 2})],
         lambda: _semaphores("semop")),
        ("semtimedop", [("semop", {"res": 0, "nsops": 2, "sem_num_0": 1, "sem_op_0": 3, "sem_flg_0": 1, "sem_op_1": 2})],
         lambda: _semaphores("semtimedop", None)),
        ("ppoll", [("ppoll", {"res": 1, "fds": struct.pack("<Hqh", 1, 2, 4), "sigmask": 0x200})],
         lambda: syscall("ppoll", _buffer(struct.pack("<ihh", 2, 4, 0)), 1, _buffer(struct.pack("<qq", 1, 5)), _buffer(struct.pack("<Q", 0x200)), 8)),
        ("ppoll bad", [("ppoll", {"res": EINVAL, "timeout": 3_000_000_000, "sigmask": 0})],
         lambda: syscall("ppoll", None, 0, _buffer(struct.pack("<qq", 1, 2_000_000_000)), None, 8)),
        ("nanosleep", [("nanosleep", {"res": 0, "interval": 1005})], lambda: syscall("nanosleep", _buffer(struct.pack("<qq", 0, 1005)), None)),
        ("nanosleep bad", [("nanosleep", {"res": EFAULT, "interval": 0})], lambda: syscall("nanosleep", None, None)),
        ("pidfd_open", [("pidfd_open", {"fd": ESRCH, "pid": 1 << 22})], lambda: syscall("pidfd_open", 1 << 22, 0)),
        ("mprotect", [("mprotect", {"res": EINVAL, "addr": 1, "length": 4096, "prot": 5})], lambda: syscall("mprotect", 1, 4096, 5)),
        ("write", [("write", {"res": EBADF, "fd": 99, "size": 5, "data": b"hello"})], lambda: syscall("write", 99, b"hello", 5)),
        ("execve missing", [("execve", {"res": ENOENT, "filename": b"/nowhere/x", "exe": b"argv0", "args": b"one\0two\0", "env": b"A=1\0B=2\0"})],
         lambda: _exec("execve", [b"/nowhere/x"])),
        ("execveat missing", [("execveat", {"res": ENOENT, "exe": b"argv0", "args": b"one\0two\0", "env": b"A=1\0B=2\0"})],
         lambda: _exec("execveat", [-100, b"/nowhere/x"])),
    ]  # fmt: skip


_SEMS = struct.pack("<HhHHhH", 1, 3, 0o4000, 0, 2, 0x1000)


def _semaphores(call: str, *more: Any) -> None:
    """Two semaphores, one operation on each."""
    number = syscall("semget", 0, 2, 0o600)
    syscall(call, number, _buffer(_SEMS), 2, *more)
    syscall("semctl", number, 0, 0)


def _exec(name: str, first: list[Any]) -> None:
    argv = (ctypes.c_char_p * 4)(b"argv0", b"one", b"two", None)
    env = (ctypes.c_char_p * 3)(b"A=1", b"B=2", None)
    syscall(name, *first, argv, env, *([0] if name == "execveat" else []))


CASES = _files() + _processes()


@pytest.mark.parametrize(("expected", "code"), [(c[1], c[2]) for c in CASES], ids=[c[0] for c in CASES])
def test_call(
    probe: Probe, tmp_path: Path, expected: list[tuple[str, dict[str, Any]]], code: Callable[[], object]
) -> None:
    def in_folder() -> None:
        os.chdir(tmp_path)
        code()

    seen = run(probe, in_folder)
    for name, wanted in expected:
        only(seen, name, **wanted)


def test_every_non_trivial_row_has_a_case(probe: Probe) -> None:
    """A new row of the table needs a case; what other tests cover is listed here."""
    covered = {name for case in CASES for name, _ in case[1]}
    elsewhere = {
        "clone",
        "fork",
        "vfork",
        "clone3",
        "procexit",
        "open_by_handle_at",
        "fsconfig",
        "pipe",
        "eventfd",
    }
    elsewhere |= {
        "signalfd",
        "signalfd4",
        "inotify_init",
        "epoll_create",
        "pidfd_getfd",
        "renameat",
        "setrlimit",
    }
    elsewhere |= {
        "socket",
        "socketpair",
        "bind",
        "connect",
        "listen",
        "accept",
        "accept4",
        "shutdown",
        "sendto",
    }
    elsewhere |= {
        "sendmsg",
        "sendmmsg",
        "recvfrom",
        "recvmsg",
        "recvmmsg",
        "setsockopt",
        "getsockopt",
        "tkill",
    }
    elsewhere |= {"umount", "io_uring_enter", "io_uring_register", "keyctl"}
    missing = {r.event.name for r in table.rows() if not r.volume} - covered - elsewhere
    assert not missing


def test_open_tells_inode_device_and_path(probe: Probe, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("x")
    (tmp_path / "link").symlink_to("file")
    seen = run(probe, lambda: os.open(tmp_path / "link", os.O_RDONLY))
    event = only(seen, "openat", name=os.fsencode(tmp_path / "link"))
    info = target.stat()
    major, minor = os.major(info.st_dev), os.minor(info.st_dev)
    assert event.args["ino"] == info.st_ino
    assert event.args["dev"] == (minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12
    assert event.path == os.fsencode(target)


def test_tcp_both_sides(probe: Probe) -> None:
    def code() -> None:
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        client.sendall(b"ping")
        accepted.recv(10)
        with socket.socket() as refused:
            refused.connect_ex(("127.0.0.1", 1))
        os.write(2, struct.pack("<HH", port, client.getsockname()[1]) and b"")

    seen = run(probe, code)
    socket_event = next(e for e in seen if e.name == "socket")
    assert (socket_event.args["domain"], socket_event.args["type"] & 0xFF) == (2, 1)
    good, bad = [e for e in seen if e.name == "connect"]
    loopback = bytes([127, 0, 0, 1])
    server = only(seen, "accept4").args["tuple"]
    assert good.args["tuple"] == server  # the client's end first on both sides
    assert (
        good.args["tuple"][0] == 2
        and good.args["tuple"][1:5] == loopback
        and good.args["tuple"][7:11] == loopback
    )
    assert good.args["addr"] == b"\x02" + loopback + good.args["tuple"][11:13]
    assert (
        bad.res == -111 and bad.args["tuple"] == b"" and bad.args["addr"] == b"\x02" + loopback + b"\x01\x00"
    )
    sent = only(seen, "sendto")
    assert (sent.res, sent.args["data"], sent.args["size"]) == (4, b"ping", 4)
    assert sent.args["tuple"] == good.args["tuple"]
    received = only(seen, "recvfrom")
    assert (received.res, received.args["data"], received.args["size"]) == (4, b"ping", 10)
    assert only(seen, "listen").res == 0


def test_udp_and_unix(probe: Probe, tmp_path: Path) -> None:
    def code() -> None:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.sendto(b"question", ("127.0.0.1", 53))
        udp.sendmsg([b"two ", b"parts"], [], 0, ("127.0.0.1", 54))
        six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        six.connect_ex(("::1", 5353))
        socket.socket(socket.AF_UNIX).connect_ex("\0abstract")
        os.chdir(tmp_path)
        server = socket.socket(socket.AF_UNIX)
        server.bind("s.sock")
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect("s.sock")
        server.accept()
        left, right = socket.socketpair()
        socket.send_fds(left, [b"x"], [2])
        socket.recv_fds(right, 10, 1)

    seen = run(probe, code)
    datagram = only(seen, "sendto")
    assert datagram.args["data"] == b"question"
    assert datagram.args["tuple"][7:] == bytes([127, 0, 0, 1]) + (53).to_bytes(2, "little")
    parts = next(e for e in seen if e.name == "sendmsg")
    assert (parts.args["data"], parts.args["size"], parts.res) == (b"two parts", 9, 9)
    assert parts.args["tuple"][7:] == bytes([127, 0, 0, 1]) + (54).to_bytes(2, "little")
    six, abstract, named = [e for e in seen if e.name == "connect"]
    assert six.args["tuple"][0] == 10 and six.args["addr"] == b"\x0a" + bytes(15) + b"\x01" + (5353).to_bytes(
        2, "little"
    )
    assert abstract.args["addr"] == b"\x01abstract\0" and abstract.res == -111
    assert named.args["tuple"][0] == 1 and named.args["tuple"][17:] == b"s.sock\0"
    assert only(seen, "bind").args["addr"] == b"\x01s.sock\0"
    pair = only(seen, "socketpair")
    assert pair.args["fd1"] >= 0 and pair.args["source"] and pair.args["peer"]
    assert only(seen, "recvmsg").args["msgcontrol"]


def test_socket_options(probe: Probe) -> None:
    def code() -> None:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    seen = run(probe, code)
    reuse, delay = [e for e in seen if e.name == "setsockopt"]
    assert (reuse.args["level"], reuse.args["optname"], reuse.args["val"]) == (1, 2, b"\x02\x01\0\0\0")
    assert (delay.args["level"], delay.args["optname"], delay.args["val"]) == (2, 0, b"\0\x01\0\0\0")
    assert only(seen, "getsockopt").args["val"] == b"\x02\x01\0\0\0"


def test_exec_tells_the_process(probe: Probe, tmp_path: Path) -> None:
    def code() -> None:
        os.chdir(tmp_path)
        os.execve("/bin/true", ["not-true", "one", "two three"], {"SECRET": "x", "EMPTY": ""})

    event = only(run(probe, code), "execve", res=0)
    info = Path("/bin/true").stat()
    assert event.args["exe"] == b"not-true"
    assert event.args["args"] == b"one\0two three\0"
    assert event.args["env"] == b"SECRET=x\0EMPTY=\0"
    assert event.args["comm"] == b"true"
    assert event.args["filename"] == b"/bin/true"
    assert event.args["trusted_exepath"] == os.fsencode(Path("/bin/true").resolve())
    assert event.args["exe_ino"] == info.st_ino
    assert event.args["exe_ino_ctime"] == info.st_ctime_ns
    assert event.args["exe_ino_mtime"] == info.st_mtime_ns
    assert event.args["tid"] == event.args["pid"] == event.tid
    assert event.args["ptid"] == os.getpid()
    assert event.args["pgid"] == os.getpgid(0)
    assert event.args["cap_effective"] == int(_status("CapEff"), 16)
    assert event.args["uid"] == os.geteuid() and event.args["gid"] == os.getegid()
    assert event.extra[9] == os.fsencode(tmp_path)
    assert b"memory=/" in event.args["cgroups"] or b"cpu=/" in event.args["cgroups"]


def _status(key: str) -> str:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(line.split()[1] for line in lines if line.startswith(key))


def test_fork_and_exit(probe: Probe) -> None:
    def code() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        os.waitpid(pid, 0)
        pid = os.fork()
        if pid == 0:
            os.kill(os.getpid(), 9)
        os.waitpid(pid, 0)

    seen = run(probe, code)
    clones = [e for e in seen if e.name in ("clone", "clone3", "fork")]
    born = [e for e in clones if e.res == 0]
    assert [e.res for e in clones if e.res] == [e.tid for e in born]
    assert {e.args["exe"] for e in clones} == {os.fsencode(sys.orig_argv[0])}
    exits = {e.tid: e.args for e in seen if e.name == "procexit"}
    assert (exits[born[0].tid]["ret"], exits[born[0].tid]["sig"]) == (7, 0)
    assert (exits[born[1].tid]["sig"], exits[born[1].tid]["status"]) == (9, 9)
    assert born[0].extra[7] != born[1].extra[7]  # START


def test_time_stamps_are_wall_clock(probe: Probe) -> None:
    import time

    before = time.time_ns()
    seen = run(probe, lambda: None)
    after = time.time_ns()
    assert all(before - 10_000_000 < e.ts < after + 10_000_000 for e in seen)
    assert LIBC is not None


def test_filter_by_event_and_path(probe: Probe, tmp_path: Path) -> None:
    """What rules cannot match stays in the kernel, is counted, and state is kept right."""
    from tests.support.sensor_seen import child, drained

    (tmp_path / "secret").write_text("x")
    scan = probe.open_scan(1 << 20)
    try:
        scan.set_filter([], open_prefixes=[b"/etc/host", os.fsencode(tmp_path)])

        def code() -> None:
            for name in ("/etc/hostname", "/etc/passwd", str(tmp_path / "secret"), "/nowhere"):
                syscall("openat", -100, name.encode(), os.O_RDONLY)
            syscall("openat", -100, b"/dev/null", os.O_WRONLY)
            syscall("fcntl", 2, 1, 0)
            syscall("fcntl", 2, 0, 0)
            syscall("mkdir", b"/nowhere/x", 0)

        with child(code) as (pid, start):
            scan.register(pid)
            start()
        seen = drained(scan)
        names = [e.args["name"] for e in seen if e.name == "openat"]
        assert names == [b"/etc/hostname", os.fsencode(tmp_path / "secret"), b"/nowhere", b"/dev/null"]
        assert [e.args["cmd"] for e in seen if e.name == "fcntl"] == [1]
        assert not [e for e in seen if e.name == "mkdir"]
        filtered = scan.stats().filtered
        assert (filtered["openat"], filtered["fcntl"], filtered["mkdir"]) == (1, 1, 1)
    finally:
        scan.close()


def test_filter_by_last_name_and_kind(probe: Probe, tmp_path: Path) -> None:
    """A prefix without a slash is that of a file's own name. Only regular files stay in the kernel, and a
    descriptor that was never told of says what it is when it is copied."""
    from tests.support.sensor_seen import child, drained

    for name in (".env.local", "settings", "script"):
        (tmp_path / name).write_text("x")
    scan = probe.open_scan(1 << 20)
    try:
        scan.set_filter([], open_prefixes=[b"/etc/host", b".env"])

        def code() -> None:
            for name in ("settings", ".env.local", "."):
                syscall("openat", -100, f"{tmp_path}/{name}".encode(), os.O_RDONLY)
            syscall("openat", -100, b"/dev/null", os.O_RDONLY)
            number = syscall("openat", -100, f"{tmp_path}/script".encode(), os.O_RDONLY)
            syscall("dup2", number, 0)
            syscall("dup2", syscall("socket", 1, 1, 0), 1)
            os.close(2)
            syscall("openat", -100, f"{tmp_path}/settings".encode(), os.O_RDONLY)  # becomes 2: told

        with child(code) as (pid, start):
            scan.register(pid)
            start()
        seen = drained(scan)
        names = [os.path.basename(e.args["name"]) for e in seen if e.name == "openat"]
        assert names == [b".env.local", b".", b"null", b"settings"]
        files, sockets = (e for e in seen if e.name == "dup2")
        assert files.path == os.fsencode(tmp_path / "script")
        assert not (sockets.path or b"").startswith(b"/")
        assert scan.stats().filtered["openat"] == 2
    finally:
        scan.close()


def test_filter_of_calls_that_failed(probe: Probe, tmp_path: Path) -> None:
    from package_hunter.model.event import event_numbers
    from tests.support.sensor_seen import child, drained

    scan = probe.open_scan(1 << 20)
    numbers = event_numbers()
    mkdir, unlink = numbers["syscall_mkdir_2_x"], numbers["syscall_unlink_2_x"]
    try:
        scan.set_filter([mkdir, unlink], failing=[unlink])

        def code() -> None:
            for _ in range(3):
                syscall("mkdir", os.fsencode(tmp_path / "new"), 0o700)
            syscall("unlink", b"/nowhere")

        with child(code) as (pid, start):
            scan.register(pid)
            start()
        seen = [e for e in drained(scan) if e.name in ("mkdir", "unlink")]
        assert [(e.name, e.res) for e in seen] == [("mkdir", 0), ("unlink", -2)]
        assert scan.stats().filtered["mkdir"] == 2
    finally:
        scan.close()


def test_prefixes_of_a_killed_scan_are_given_back(probe: Probe) -> None:
    """Their number is limited for all scans together."""
    from package_hunter.sensor import layout, libbpf

    def count() -> int:
        key, last, found = layout.PrefixKey(), None, 0
        while not libbpf.library().bpf_map_get_next_key(probe._fds["prefixes"], last, ctypes.byref(key)):
            last, found = ctypes.byref(layout.PrefixKey.from_buffer_copy(key)), found + 1
        return found

    before = count()
    scan = probe.open_scan(1 << 20)
    killed = scan.number
    try:
        scan.set_filter([], open_prefixes=[b"/a", b"/b"])
        scan._prefixes = frozenset()
        scan.number += layout.SLOTS  # the next scan in that place
        scan.set_filter([], open_prefixes=[b"/c"])
        assert count() == before + 1
        scan._set_prefixes(())
    finally:
        scan.number = killed
        scan.close()
    assert count() == before


def test_more_prefixes_than_the_kernel_takes(probe: Probe) -> None:
    """Then every read is told, and the room is given back."""
    from tests.support.sensor_seen import child, drained

    scan = probe.open_scan(1 << 20)
    try:
        scan.set_filter([], open_prefixes=[b"/nowhere/%d" % n for n in range(20_000)])
        with child(lambda: syscall("openat", -100, b"/etc/passwd", os.O_RDONLY)) as (pid, start):
            scan.register(pid)
            start()
        assert b"/etc/passwd" in [e.args["name"] for e in drained(scan) if e.name == "openat"]
        scan.set_filter([], open_prefixes=[b"/nowhere"])
        assert scan._prefixes == {b"/nowhere"}
    finally:
        scan.close()
