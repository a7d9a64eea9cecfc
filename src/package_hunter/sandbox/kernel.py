"""The system calls that Python does not have: new mount API, namespaces.

Numbers are the same on every architecture (they came after the tables were unified); flags from linux/mount.h
and linux/sched.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from package_hunter.errors import SandboxError

T = TypeVar("T")

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_MOUNT_ATTR_IDMAP = 0x00100000
CLONE_NEWNET, _CLONE_FS, _CLONE_NEWPID = 0x40000000, 0x200, 0x20000000
_LAST_PID = "/proc/sys/kernel/ns_last_pid"
MS_NOSUID, MS_NODEV, _MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 4, 2, 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def _error(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")


def mount(source: str, target: str | Path, kind: str, flags: int, options: str) -> None:
    """mount(2); OSError."""
    arguments = (source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())
    if _libc.mount(*arguments) != 0:
        raise _error(f"mounting {kind} on {target}")


def unmount(target: str | Path) -> bool:
    """Detach whatever is mounted there, links not followed; False where nothing is."""
    if _libc.umount2(os.fsencode(target), _MNT_DETACH | _UMOUNT_NOFOLLOW) == 0:
        return True
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOENT):
        return False
    raise _error(f"unmounting {target}")


def mount_idmapped(source: str | Path, target: str | Path, userns_fd: int) -> None:
    """Mount ``source`` again at ``target``, its owners shifted as the user namespace maps them (Linux 5.19
    for overlay's use of it)."""
    tree = _libc.syscall(
        _OPEN_TREE, _AT_FDCWD, os.fsencode(source), ctypes.c_uint(_OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC)
    )
    if tree < 0:
        raise _error(f"opening the mount {source}")
    try:
        attr = _MountAttr(_MOUNT_ATTR_IDMAP, 0, 0, userns_fd)
        size = ctypes.sizeof(attr)
        if _libc.syscall(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(attr), size) != 0:
            raise _error("shifting the image's owners (idmapped mount)")
        if (
            _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(target), _MOVE_MOUNT_F_EMPTY_PATH)
            != 0
        ):
            raise _error(f"mounting on {target}")
    finally:
        os.close(tree)


def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread of its own, which may change its namespaces or directory: they end with it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target, name="sandbox-namespace")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def own_directory(path: str | Path) -> None:
    """chdir for this thread only."""
    if _libc.unshare(_CLONE_FS) != 0:
        raise _error("leaving the shared working directory")
    os.chdir(path)


def new_netns() -> None:
    """Put this thread into a new, empty network namespace."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise SandboxError(
            f"A network namespace could not be made ({os.strerror(ctypes.get_errno())}).",
            "The kernel needs CONFIG_NET_NS; check /proc/sys/user/max_net_namespaces.",
        )


def set_last_pid(process: int, number: int) -> bool:
    """Let the process ids of ``process``'s pid namespace go on after ``number``. False where the kernel has no
    such setting (CONFIG_CHECKPOINT_RESTORE)."""
    if not Path(_LAST_PID).exists():
        return False

    def write() -> int:
        fd = os.open(f"/proc/{process}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.setns(fd, _CLONE_NEWPID) != 0:  # for this thread's children
                raise _error("entering a pid namespace")
        finally:
            os.close(fd)
        script = f"echo {number} > {_LAST_PID}"  # whose namespace is meant is told by who writes
        return os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", script], {}), 0)[1]

    return in_thread(write) == 0


def enter_netns(fd: int) -> None:
    """Put this thread into a network namespace."""
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise _error("entering a network namespace")
