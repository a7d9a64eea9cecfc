# ruff: noqa: E501  (tables of cases)
"""The rest of the calls, as in test_calls.py: descriptors, messages, the high-volume ones. Each succeeds and fails."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from package_hunter.sensor import table
from package_hunter.sensor.live import Probe
from tests.support.sensor_seen import LIBC, run, syscall

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="calls of x86_64")

EBADF, EINVAL, EFAULT, ESRCH, ENOENT, ENOTTY, EPERM = -9, -22, -14, -3, -2, -25, -1
ME = os.getpid()  # of the test, parent of the watched process
Case = tuple[str, list[tuple[str, dict[str, Any]]], Callable[[], object]]


def _buffer(data: bytes, size: int = 0) -> Any:
    return ctypes.create_string_buffer(data, size or len(data) + 1)


def _file(data: bytes = b"content") -> int:
    """Descriptor 50: a file `f` with this in it, read from its beginning."""
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, data)
    os.lseek(fd, 0, 0)
    os.dup2(fd, 50)
    os.close(fd)
    return 50


def _iov(*parts: Any) -> Any:
    return _buffer(b"".join(struct.pack("<QQ", ctypes.addressof(p), len(p)) for p in parts))


def _with_file(call: Callable[[int], object], data: bytes = b"content") -> Callable[[], object]:
    return lambda: call(_file(data))


def _descriptors() -> list[Case]:
    word = _buffer(b"", 8)
    return [
        ("pipe", [("pipe", {"res": 0})], lambda: syscall("pipe", word)),
        ("pipe bad", [("pipe", {"res": EFAULT, "fd1": -1, "fd2": -1, "ino": 0})], lambda: syscall("pipe", None)),
        ("pipe2", [("pipe2", {"res": 0, "flags": 1 << 12})], lambda: syscall("pipe2", word, os.O_CLOEXEC)),
        ("eventfd", [("eventfd", {"initval": 7, "flags": 0})], lambda: syscall("eventfd", 7)),
        ("eventfd2 bad", [("eventfd2", {"res": EINVAL, "initval": 7})], lambda: syscall("eventfd2", 7, 0x40)),
        ("signalfd", [("signalfd", {"res": EBADF, "fd": 99, "mask": 0, "flags": 0})], lambda: syscall("signalfd", 99, word, 8)),
        ("signalfd4", [("signalfd4", {"fd": -1, "flags": 1 << 12})], lambda: syscall("signalfd4", -1, word, 8, os.O_CLOEXEC)),
        ("signalfd4 bad", [("signalfd4", {"res": EBADF, "fd": 99, "flags": 0})], lambda: syscall("signalfd4", 99, word, 8, 0)),
        ("inotify_init", [("inotify_init", {"flags": 0})], lambda: syscall("inotify_init")),
        ("inotify_init1 bad", [("inotify_init1", {"res": EINVAL})], lambda: syscall("inotify_init1", 1)),
        ("epoll_create", [("epoll_create", {"size": 5})], lambda: syscall("epoll_create", 5)),
        ("epoll_create bad", [("epoll_create", {"res": EINVAL, "size": 0})], lambda: syscall("epoll_create", 0)),
        ("epoll_create1 bad", [("epoll_create1", {"res": EINVAL})], lambda: syscall("epoll_create1", 1)),
        ("timerfd bad", [("timerfd_create", {"res": EINVAL, "clockid": 99})], lambda: syscall("timerfd_create", 99, 0)),
        ("pidfd_open", [("pidfd_open", {"pid": ME, "flags": 0})], lambda: syscall("pidfd_open", ME, 0)),
        ("pidfd_getfd bad", [("pidfd_getfd", {"fd": EBADF, "pid_fd": 98, "target_fd": 5, "flags": 0})], lambda: syscall("pidfd_getfd", 98, 5, 0)),
        ("pidfd_getfd", [("pidfd_getfd", {"target_fd": 2, "flags": 0})], lambda: syscall("pidfd_getfd", os.pidfd_open(os.getpid()), 2, 0)),
        ("setrlimit", [("setrlimit", {"res": 0, "cur": 100, "max": 200, "resource": 7})], lambda: syscall("setrlimit", 7, _buffer(struct.pack("<QQ", 100, 200)))),
        ("setrlimit bad", [("setrlimit", {"res": EINVAL, "cur": 200, "max": 100, "resource": 7})], lambda: syscall("setrlimit", 7, _buffer(struct.pack("<QQ", 200, 100)))),
        ("getrlimit", [("getrlimit", {"res": 0, "resource": 3})], lambda: syscall("getrlimit", 3, _buffer(b"", 16))),
        ("getrlimit bad", [("getrlimit", {"res": EFAULT, "resource": 3})], lambda: syscall("getrlimit", 3, None)),
        ("prlimit bad", [("prlimit", {"res": ESRCH, "pid": 1 << 22, "resource": 7})], lambda: syscall("prlimit64", 1 << 22, 7, None, None)),
        ("dup", [("dup", {"oldfd": 2})], lambda: syscall("dup", 2)),
        ("dup2 bad", [("dup2", {"res": EBADF, "oldfd": 99, "newfd": 5})], lambda: syscall("dup2", 99, 5)),
        ("dup3 bad", [("dup3", {"res": EINVAL, "oldfd": 2, "newfd": 2})], lambda: syscall("dup3", 2, 2, 0)),
        ("fcntl bad", [("fcntl", {"res": EBADF, "fd": 99, "cmd": 2, "arg": 3})], lambda: syscall("fcntl", 99, 1, 3)),
        ("close", [("close", {"res": 0, "fd": 50})], _with_file(lambda fd: syscall("close", fd))),
        ("close_range bad", [("close_range", {"res": EINVAL, "first": 9, "last": 8, "flags": 0})], lambda: syscall("close_range", 9, 8, 0)),
        ("userfaultfd bad", [("userfaultfd", {"res": EINVAL, "flags": 0x40})], lambda: syscall("userfaultfd", 0x40)),
        ("keyctl", [("keyctl", {"operation": 0, "arg2": b"\0" + struct.pack("<q", -3)})], lambda: syscall("keyctl", 0, -3, 1, 0, 0)),
        ("keyctl bad", [("keyctl", {"operation": 99, "arg3": b"\0" + struct.pack("<q", 6)})], lambda: syscall("keyctl", 99, 5, 6, 7, 8)),
        ("fsconfig", [("fsconfig", {"res": 0, "cmd": 1, "key": b"size", "value_charbuf": b"1m"})], lambda: syscall("fsconfig", syscall("fsopen", b"tmpfs", 0), 1, b"size", b"1m", 0)),
        ("fsconfig bad", [("fsconfig", {"res": EBADF, "fd": 99, "cmd": 1, "key": b"size"})], lambda: syscall("fsconfig", 99, 1, b"size", b"1m", 0)),
        ("io_uring_enter", [("io_uring_enter", {"res": EBADF, "fd": 99, "to_submit": 1, "min_complete": 2, "flags": 1, "sig": 0})], lambda: syscall("io_uring_enter", 99, 1, 2, 1, None, 0)),
        ("io_uring_register", [("io_uring_register", {"res": EBADF, "fd": 99, "opcode": 2, "arg": 0, "nr_args": 3})], lambda: syscall("io_uring_register", 99, 2, None, 3)),
        ("tkill", [("tkill", {"res": 0, "sig": 0})], lambda: syscall("tkill", syscall("gettid"), 0)),
        ("tkill bad", [("tkill", {"res": ESRCH, "tid": 1 << 22, "sig": 9})], lambda: syscall("tkill", 1 << 22, 9)),
        ("tgkill", [("tgkill", {"res": 0, "sig": 0})], lambda: syscall("tgkill", os.getpid(), syscall("gettid"), 0)),
        ("kill", [("kill", {"res": 0, "sig": 0})], lambda: syscall("kill", os.getpid(), 0)),
    ]  # fmt: skip


def _identity() -> list[Case]:
    empty = _buffer(struct.pack("<II", 0x20080522, 0))
    return [
        ("capset", [("capset", {"res": 0, "cap_permitted": 0, "cap_effective": 0, "cap_inheritable": 0})], lambda: syscall("capset", empty, _buffer(bytes(24)))),
        ("setuid refused", [("setuid", {"res": EPERM, "uid": 7})], lambda: (syscall("setuid", 65534), syscall("setuid", 7))),
        ("setgid refused", [("setgid", {"res": EPERM, "gid": 7})], lambda: (syscall("setuid", 65534), syscall("setgid", 7))),
        ("setresuid refused", [("setresuid", {"res": EPERM, "ruid": 7})], lambda: (syscall("setuid", 65534), syscall("setresuid", 7, 7, 7))),
        ("setresgid refused", [("setresgid", {"res": EPERM, "rgid": 7})], lambda: (syscall("setuid", 65534), syscall("setresgid", 7, 7, 7))),
        ("setreuid refused", [("setreuid", {"res": EPERM, "ruid": 7, "euid": 8})], lambda: (syscall("setuid", 65534), syscall("setreuid", 7, 8))),
        ("setregid refused", [("setregid", {"res": EPERM, "rgid": 7, "egid": 8})], lambda: (syscall("setuid", 65534), syscall("setregid", 7, 8))),
        ("setpgid bad", [("setpgid", {"res": ESRCH, "pid": 1 << 22, "pgid": 5})], lambda: syscall("setpgid", 1 << 22, 5)),
        ("setsid twice", [("setsid", {"res": EPERM})], lambda: (syscall("setsid"), syscall("setsid"))),
        ("prctl bad", [("prctl", {"res": EINVAL, "option": 9999, "arg2_int": 5})], lambda: syscall("prctl", 9999, 5, 0, 0, 0)),
        ("seccomp", [("seccomp", {"res": 0, "op": 2, "flags": 0})], lambda: syscall("seccomp", 2, 0, _buffer(struct.pack("<I", 0)))),
        ("setns", [("setns", {"res": 0, "nstype": 1 << 7})], lambda: syscall("setns", os.open("/proc/self/ns/uts", os.O_RDONLY), 0x04000000)),
        ("bpf refused", [("bpf", {"fd": EINVAL, "cmd": 9999})], lambda: syscall("bpf", 9999, None, 0)),
    ]  # fmt: skip


def _messages() -> list[Case]:
    def pair() -> tuple[socket.socket, socket.socket]:
        left, right = socket.socketpair()
        os.dup2(left.fileno(), 60)
        os.dup2(right.fileno(), 61)
        return left, right

    def sent(call: Callable[[], object]) -> Callable[[], object]:
        def code() -> None:
            ends = pair()
            call()
            ends[0].close()

        return code

    hello, space = _buffer(b"hello", 5), _buffer(b"", 16)
    message = _buffer(
        struct.pack("<QQQQQQQ", 0, 0, ctypes.addressof(_KEEP.setdefault("out", _iov(hello))), 1, 0, 0, 0)
        + bytes(8)
    )
    into = _buffer(
        struct.pack("<QQQQQQQ", 0, 0, ctypes.addressof(_KEEP.setdefault("in", _iov(space))), 1, 0, 0, 0)
        + bytes(8)
    )
    _KEEP["hello"], _KEEP["space"] = hello, space

    def receive(name: str, *arguments: Any) -> Callable[[], object]:
        return sent(lambda: (os.write(61, b"answer"), syscall(name, 60, *arguments)))

    return [
        ("shutdown", [("shutdown", {"res": 0, "fd": 60, "how": 1})], sent(lambda: syscall("shutdown", 60, 1))),
        ("shutdown bad", [("shutdown", {"res": EBADF, "fd": 99, "how": 2})], lambda: syscall("shutdown", 99, 2)),
        ("sendmsg", [("sendmsg", {"res": 5, "fd": 60, "data": b"hello", "size": 5})], sent(lambda: syscall("sendmsg", 60, message, 0))),
        ("sendmsg bad", [("sendmsg", {"res": EBADF, "fd": 99})], lambda: syscall("sendmsg", 99, message, 0)),
        ("sendmmsg", [("sendmmsg", {"res": 5, "fd": 60, "data": b"hello", "size": 5})], sent(lambda: syscall("sendmmsg", 60, message, 1, 0))),
        ("sendmmsg bad", [("sendmmsg", {"res": EBADF, "fd": 99})], lambda: syscall("sendmmsg", 99, message, 1, 0)),
        ("sendto bad", [("sendto", {"res": EBADF, "fd": 99, "data": b"hello", "size": 5})], lambda: syscall("sendto", 99, hello, 5, 0, None, 0)),
        ("recvmsg", [("recvmsg", {"res": 6, "fd": 60, "size": 6, "data": b"answer"})], receive("recvmsg", into, 0)),
        ("recvmsg bad", [("recvmsg", {"res": EBADF, "fd": 99, "size": 0, "data": b""})], lambda: syscall("recvmsg", 99, into, 0)),
        ("recvmmsg", [("recvmmsg", {"res": 6, "fd": 60, "size": 6, "data": b"answer"})], receive("recvmmsg", into, 1, 0x40, None)),
        ("recvmmsg bad", [("recvmmsg", {"res": EBADF, "fd": 99})], lambda: syscall("recvmmsg", 99, into, 1, 0, None)),
        ("recvfrom bad", [("recvfrom", {"res": EBADF, "fd": 99, "data": b"", "size": 16})], lambda: syscall("recvfrom", 99, space, 16, 0, None, None)),
        ("socket bad", [("socket", {"fd": -97, "domain": 0, "type": 1, "proto": 0})], lambda: syscall("socket", 99, 1, 0)),
        ("socketpair bad", [("socketpair", {"res": -97, "fd1": -1, "fd2": -1, "source": 0, "peer": 0})], lambda: syscall("socketpair", 99, 1, 0, space)),
        ("listen bad", [("listen", {"res": EBADF, "fd": 99, "backlog": 3})], lambda: syscall("listen", 99, 3)),
        ("bind bad", [("bind", {"res": EBADF, "fd": 99, "addr": b"\x02\x7f\0\0\x01\x50\0"})], lambda: syscall("bind", 99, _buffer(struct.pack("<HH4s8x", 2, 0x5000, b"\x7f\0\0\x01")), 16)),
        ("accept bad", [("accept", {"fd": EBADF, "tuple": b"", "queuelen": 0})], lambda: syscall("accept", 99, None, None)),
        ("accept4 bad", [("accept4", {"fd": EBADF, "tuple": b"", "flags": 0})], lambda: syscall("accept4", 99, None, None, 0)),
        ("setsockopt bad", [("setsockopt", {"res": EBADF, "fd": 99, "level": 1, "optname": 2})], lambda: syscall("setsockopt", 99, 1, 2, hello, 4)),
        ("getsockopt bad", [("getsockopt", {"res": EBADF, "fd": 99, "level": 1})], lambda: syscall("getsockopt", 99, 1, 3, hello, space)),
    ]  # fmt: skip


_KEEP: dict[str, Any] = {}  # what pointers in buffers point to


def _volume() -> list[Case]:
    space, out = _buffer(b"", 16), _buffer(b"written", 7)
    _KEEP["s"], _KEEP["o"] = space, out
    vector, gather = _iov(space), _iov(out)
    stat = _buffer(b"", 256)
    return [
        ("read", [("read", {"res": 7, "data": b"content", "fd": 50, "size": 16})], _with_file(lambda fd: syscall("read", fd, space, 16))),
        ("read bad", [("read", {"res": EBADF, "data": b"", "fd": 99, "size": 16})], lambda: syscall("read", 99, space, 16)),
        ("pread64", [("pread", {"res": 4, "data": b"tent", "fd": 50, "size": 16, "pos": 3})], _with_file(lambda fd: syscall("pread64", fd, space, 16, 3))),
        ("pread64 bad", [("pread", {"res": EBADF, "fd": 99, "pos": 3})], lambda: syscall("pread64", 99, space, 16, 3)),
        ("readv", [("readv", {"res": 7, "size": 7, "data": b"content", "fd": 50})], _with_file(lambda fd: syscall("readv", fd, vector, 1))),
        ("readv bad", [("readv", {"res": EBADF, "data": b"", "fd": 99})], lambda: syscall("readv", 99, vector, 1)),
        ("preadv", [("preadv", {"res": 4, "data": b"tent", "fd": 50, "pos": 3})], _with_file(lambda fd: syscall("preadv", fd, vector, 1, 3, 0))),
        ("preadv2 bad", [("preadv", {"res": EBADF, "fd": 99})], lambda: syscall("preadv2", 99, vector, 1, 3, 0, 0)),
        ("write", [("write", {"res": 7, "data": b"written", "fd": 50, "size": 7})], _with_file(lambda fd: syscall("write", fd, out, 7))),
        ("pwrite64", [("pwrite", {"res": 7, "data": b"written", "fd": 50, "size": 7, "pos": 9})], _with_file(lambda fd: syscall("pwrite64", fd, out, 7, 9))),
        ("pwrite64 bad", [("pwrite", {"res": EBADF, "data": b"written", "fd": 99, "size": 7, "pos": 9})], lambda: syscall("pwrite64", 99, out, 7, 9)),
        ("writev", [("writev", {"res": 7, "data": b"written", "fd": 50, "size": 7})], _with_file(lambda fd: syscall("writev", fd, gather, 1))),
        ("writev bad", [("writev", {"res": EBADF, "data": b"written", "fd": 99, "size": 7})], lambda: syscall("writev", 99, gather, 1)),
        ("pwritev", [("pwritev", {"res": 7, "data": b"written", "fd": 50, "size": 7, "pos": 9})], _with_file(lambda fd: syscall("pwritev", fd, gather, 1, 9, 0))),
        ("pwritev2 bad", [("pwritev", {"res": EBADF, "fd": 99, "size": 7})], lambda: syscall("pwritev2", 99, gather, 1, 9, 0, 0)),
        ("stat", [("stat", {"res": 0, "path": b"/etc"})], lambda: syscall("stat", b"/etc", stat)),
        ("stat bad", [("stat", {"res": ENOENT, "path": b"/nowhere"})], lambda: syscall("stat", b"/nowhere", stat)),
        ("lstat", [("lstat", {"res": 0, "path": b"/etc"})], lambda: syscall("lstat", b"/etc", stat)),
        ("lstat bad", [("lstat", {"res": ENOENT, "path": b"/nowhere"})], lambda: syscall("lstat", b"/nowhere", stat)),
        ("fstat", [("fstat", {"res": 0, "fd": 50})], _with_file(lambda fd: syscall("fstat", fd, stat))),
        ("fstat bad", [("fstat", {"res": EBADF, "fd": 99})], lambda: syscall("fstat", 99, stat)),
        ("newfstatat", [("newfstatat", {"res": 0, "dirfd": -100, "path": b"/etc", "flags": 0x100})], lambda: syscall("newfstatat", -100, b"/etc", stat, 0x100)),
        ("newfstatat bad", [("newfstatat", {"res": ENOENT, "path": b"/nowhere"})], lambda: syscall("newfstatat", -100, b"/nowhere", stat, 0)),
        ("access", [("access", {"res": 0, "name": b"/etc", "mode": 4})], lambda: syscall("access", b"/etc", 4)),
        ("access bad", [("access", {"res": ENOENT, "name": b"/nowhere", "mode": 0})], lambda: syscall("access", b"/nowhere", 0)),
        ("lseek", [("lseek", {"res": 5, "fd": 50, "offset": 5, "whence": 0})], _with_file(lambda fd: syscall("lseek", fd, 5, 0))),
        ("lseek bad", [("lseek", {"res": EBADF, "fd": 99, "offset": 5, "whence": 1})], lambda: syscall("lseek", 99, 5, 1)),
        ("getdents64", [("getdents64", {"fd": 62})], lambda: (os.dup2(os.open("/", os.O_RDONLY), 62), syscall("getdents64", 62, stat, 256))),
        ("getdents64 bad", [("getdents64", {"res": EBADF, "fd": 99})], lambda: syscall("getdents64", 99, stat, 256)),
        ("getdents bad", [("getdents", {"res": EBADF, "fd": 99})], lambda: syscall("getdents", 99, stat, 256)),
        ("getcwd", [("getcwd", {"res": 2, "path": b"/"})], lambda: (os.chdir("/"), syscall("getcwd", stat, 256))),
        ("getcwd bad", [("getcwd", {"res": -34})], lambda: syscall("getcwd", stat, 1)),
        ("munmap bad", [("munmap", {"res": EINVAL, "addr": 1, "length": 5})], lambda: syscall("munmap", 1, 5)),
        ("mmap bad", [("mmap", {"res": EBADF, "length": 4096, "prot": 1, "flags": 2, "fd": 99, "offset": 0})], lambda: syscall("mmap", None, 4096, 1, 2, 99, 0)),
        ("mlock bad", [("mlock", {"res": -12, "addr": 4096, "len": 4096})], lambda: syscall("mlock", 4096, 4096)),
        ("mlock2 bad", [("mlock2", {"res": EINVAL, "addr": 4096, "len": 1})], lambda: syscall("mlock2", 4096, 1, 64)),
        ("munlock bad", [("munlock", {"res": -12, "addr": 4096, "len": 4096})], lambda: syscall("munlock", 4096, 4096)),
        ("mlockall bad", [("mlockall", {"res": EINVAL, "flags": 0})], lambda: syscall("mlockall", 0)),
        ("munlockall", [("munlockall", {"res": 0})], lambda: syscall("munlockall")),
        ("brk", [("brk", {"addr": 0})], lambda: syscall("brk", None)),
        ("ioctl", [("ioctl", {"res": ENOTTY, "fd": 50, "request": 0x5401, "argument": 0})], _with_file(lambda fd: syscall("ioctl", fd, 0x5401, None))),
        ("flock", [("flock", {"res": 0, "fd": 50, "operation": 2})], _with_file(lambda fd: syscall("flock", fd, 2))),
        ("flock bad", [("flock", {"res": EBADF, "fd": 99, "operation": 1})], lambda: syscall("flock", 99, 1)),
        ("poll", [("poll", {"res": 1, "fds": struct.pack("<Hqh", 1, 2, 4), "timeout": 50})], lambda: syscall("poll", _buffer(struct.pack("<ihh", 2, 4, 0)), 1, 50)),
        ("poll bad", [("poll", {"res": EFAULT, "timeout": 50})], lambda: syscall("poll", None, 1, 50)),
        ("futex bad", [("futex", {"res": EFAULT, "addr": 0, "op": 0, "val": 5})], lambda: syscall("futex", None, 0, 5, None, None, 0)),
        ("epoll_wait bad", [("epoll_wait", {"res": EBADF, "maxevents": 3})], lambda: syscall("epoll_wait", 99, stat, 3, 0)),
        ("semget", [("semget", {"key": 0, "nsems": 3, "semflg": 1 << 13})], lambda: syscall("semctl", syscall("semget", 0, 3, 0o1000), 0, 0)),
        ("semget bad", [("semget", {"res": ENOENT, "key": 0x7FFF1234, "nsems": 1, "semflg": 0})], lambda: syscall("semget", 0x7FFF1234, 1, 0)),
        ("semctl bad", [("semctl", {"res": EINVAL, "semid": 1 << 30, "semnum": 2, "cmd": 64, "val": 5})], lambda: syscall("semctl", 1 << 30, 2, 13, 5)),
    ]  # fmt: skip


CASES = _descriptors() + _identity() + _messages() + _volume()


@pytest.mark.parametrize(("expected", "code"), [(c[1], c[2]) for c in CASES], ids=[c[0] for c in CASES])
def test_call(
    probe: Probe, tmp_path: Any, expected: list[tuple[str, dict[str, Any]]], code: Callable[[], object]
) -> None:
    def in_folder() -> None:
        os.chdir(tmp_path)
        code()
        os._exit(0)

    seen = run(probe, in_folder)
    for name, wanted in expected:
        events = [e for e in seen if e.name == name]
        assert any(all(e.args.get(k) == v for k, v in wanted.items()) for e in events), (
            name, wanted, [(e.args) for e in events][-5:],
        )  # fmt: skip
    assert LIBC is not None and signal.SIGKILL


def test_each_message_of_sendmmsg_is_told(probe: Probe) -> None:
    """The second one goes elsewhere."""

    def code() -> None:
        texts = [_buffer(b"first", 5), _buffer(b"second one", 10)]
        places = [
            _buffer(struct.pack("<HH4s8x", 2, socket.htons(port), b"\x7f\0\0\x01"), 16) for port in (53, 54)
        ]
        vectors = [_iov(text) for text in texts]
        messages = b"".join(
            struct.pack("<QI4xQQQQQQ", ctypes.addressof(p), 16, ctypes.addressof(v), 1, 0, 0, 0, 0)
            for p, v in zip(places, vectors, strict=True)
        )
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        assert syscall("sendmmsg", udp.fileno(), _buffer(messages), 2, 0) == 2
        os._exit(0)

    sent = [e.args for e in run(probe, code) if e.name == "sendmmsg"]
    assert [(a["res"], a["data"], a["size"]) for a in sent] == [(5, b"first", 5), (10, b"second one", 10)]
    assert [a["tuple"][11:13] for a in sent] == [(53).to_bytes(2, "little"), (54).to_bytes(2, "little")]


def test_every_row_has_a_case() -> None:
    """Those that need more than one call stand in test_calls, test_evasions and test_generic."""
    from tests.integration.sensor import test_calls

    covered = {name for case in (*CASES, *test_calls.CASES) for name, _ in case[1]}
    elsewhere = {"clone", "fork", "vfork", "clone3", "procexit", "open_by_handle_at", "umount", "connect", "syscall",
                 "getsockname", "getpeername"}  # fmt: skip
    assert {r.event.name for r in table.rows()} - covered - elsewhere == set()
