"""How a helper process (gateway, event reader, unpacker, planner, and the API) gives up its rights once it is set up.

After ``confine`` a process has its own unprivileged uid, no supplementary groups, no capability (bounding set
included), no_new_privs, resource limits, a seccomp filter that allows what its role needs, and dies with its
parent. What it may still touch is what was opened for it before.

The filter is made by libseccomp (the library that runc itself stands on) through ctypes: it resolves names an
architecture, refuses foreign ones (32-bit and x32 entries kill the process), and its compiler is well tried.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import resource
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from package_hunter.confine_calls import ROLES, Role, Rule
from package_hunter.errors import HostError

__all__ = ["ROLES", "UIDS", "Role", "confine", "drop_privileges", "filter_calls"]

# One uid a role: a helper that is taken over can neither signal nor read another. Numeric, above what useradd
# gives out and below systemd's dynamic range (61184), so that no account has to be made.
# The server's is the default of PACKAGE_HUNTER_SERVER_UID.
UIDS: dict[str, int] = {
    **{
        "gateway": 60871,
        "reader": 60872,
        "unpacker": 60873,
        "planner": 60875,
        "test": 60874,
        "talker": 60876,
    },
    "server": 64990,
}

# Imported by the standard library on first use, when it is too late.
for _codec in (
    "encodings.idna",
    "encodings.latin_1",
    "encodings.ascii",
    "encodings.utf_16",
    "encodings.utf_8_sig",
    "encodings.cp437",
):
    importlib.import_module(_codec)

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_PR_SET_DUMPABLE, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 4, 47, 4
_CAP_VERSION_3 = 0x20080522
_SCMP_ACT_KILL_PROCESS, _SCMP_ACT_ALLOW, _SCMP_ACT_ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_SCMP_FLTATR_ACT_BADARCH, _SCMP_FLTATR_CTL_TSYNC, _SCMP_FLTATR_CTL_OPTIMIZE = 2, 4, 8
_ENOSYS = 38
_CPU_GRACE = 5  # seconds from SIGXCPU to SIGKILL
_MAX_FD = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a process may use. ``memory_bytes`` is of private memory (RLIMIT_DATA: thread stacks count, mapped files
    and rings do not), ``files`` of open descriptors, ``file_bytes`` of the size of a file it writes, ``cpu_seconds``
    of the processor time of its whole life. None: as it is."""

    memory_bytes: int | None = None
    files: int = 4096
    file_bytes: int | None = None
    cpu_seconds: int | None = None


def confine(
    role: Role,
    uid: int | None = None,
    keep_fds: Iterable[int] | None = None,
    limits: ProcessLimits | None = None,
    parent: int | None = None,
) -> None:
    """Give up every right of this process that its role does not need; there is no way back.

    ``uid`` (and gid) defaults to the role's own; it is changed only where the process is root. ``keep_fds``:
    close every other descriptor but 0, 1 and 2 (None: close nothing).
    ``parent``: pid of the process that must outlive this one (default: the present parent); the kernel kills
    this one when the *thread* that forked it ends.

    Call it from the main thread, before other threads start where that is possible (the filter is put on all
    threads, but uid and capabilities of other threads are changed by glibc only, which Python threads obey).
    Import everything that is needed first: where Python lives in root's home, the role's uid cannot read it.
    Raises HostError where a step fails: a helper must never run half confined.
    """
    expected = os.getppid() if parent is None else parent
    _libseccomp()  # while it can be read: the loader looks where Python lies first
    if keep_fds is not None:
        _close_others({0, 1, 2, *keep_fds})
    _limit(limits or ProcessLimits())
    drop_privileges(UIDS[role] if uid is None else uid)
    libc = _libc()
    _check(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "make itself unreadable to others")
    # After the uid change, which clears it.
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "be killed with its parent")
    if os.getppid() != expected:
        os._exit(1)  # the parent died before the line above
    filter_calls(role)


def _close_others(keep: set[int]) -> None:
    low = 0
    for fd in [*sorted(keep), _MAX_FD]:
        if low < fd:  # closerange(n, n) would close everything from n on
            os.closerange(low, fd)
        low = fd + 1


def _limit(limits: ProcessLimits) -> None:
    # A core limit of 0 would still start the host's core_pattern program, 1 does not: core(5).
    wanted = {resource.RLIMIT_CORE: 1, resource.RLIMIT_NOFILE: limits.files}
    if limits.memory_bytes is not None:
        wanted[resource.RLIMIT_DATA] = limits.memory_bytes
    if limits.file_bytes is not None:
        wanted[resource.RLIMIT_FSIZE] = limits.file_bytes
    for what, value in wanted.items():
        limit = _allowed(what, value)
        resource.setrlimit(what, (limit, limit))
    if limits.cpu_seconds is not None:
        limit_cpu(limits.cpu_seconds)


def limit_cpu(seconds: int) -> None:
    """No more than these seconds of processor time in this process's life. SIGXCPU ends it, so that whoever waits for
    it knows why: SIGKILL at the hard limit could be anybody's."""
    limits = _allowed(resource.RLIMIT_CPU, seconds), _allowed(resource.RLIMIT_CPU, seconds + _CPU_GRACE)
    resource.setrlimit(resource.RLIMIT_CPU, limits)


def _allowed(what: int, value: int) -> int:
    """Without CAP_SYS_RESOURCE a hard limit can only be lowered."""
    hard = resource.getrlimit(what)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def drop_privileges(uid: int, gid: int | None = None) -> None:
    """From root to this user (``gid``: by default the same number), without any capability and with an empty
    bounding set; who is not root only loses capabilities. HostError."""
    libc, gid = _libc(), uid if gid is None else gid
    if os.geteuid() == 0:
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
        for capability in range(last + 1):
            _check(
                libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), f"drop capability {capability} for good"
            )
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _check(libc.capset(header, none), "drop its capabilities")


def filter_calls(role: Role) -> None:
    """From now on no program that is started gains rights, and only the role's system calls are answered."""
    _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up gaining privileges")
    _load_filter(ROLES[role])


def _load_filter(rules: tuple[Rule, ...]) -> None:
    lib = _libseccomp()
    context = lib.seccomp_init(_SCMP_ACT_ERRNO | _ENOSYS)
    if not context:
        raise HostError("A helper process could not make its system call filter (out of memory).")
    try:
        _attribute(lib, context, _SCMP_FLTATR_ACT_BADARCH, _SCMP_ACT_KILL_PROCESS)
        _attribute(lib, context, _SCMP_FLTATR_CTL_TSYNC, 1)
        lib.seccomp_attr_set(context, _SCMP_FLTATR_CTL_OPTIMIZE, 2)  # a binary tree; missing before 2.5
        for rule in rules:
            _add(lib, context, rule)
        code = lib.seccomp_load(context)
        if code < 0:
            raise HostError(
                f"A helper process could not load its system call filter ({os.strerror(-code)}).",
                "The kernel must have CONFIG_SECCOMP_FILTER.",
            )
    finally:
        lib.seccomp_release(context)


class _Compare(ctypes.Structure):
    """libseccomp's ``struct scmp_arg_cmp``: argument number, operator, two operands."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def _add(lib: ctypes.CDLL, context: int, rule: Rule) -> None:
    number = lib.seccomp_syscall_resolve_name(rule.name.encode())
    if number == -1:
        return  # newer than this libseccomp: the default answer (ENOSYS) is what such a call gets
    action = _SCMP_ACT_ALLOW if rule.action == "allow" else _SCMP_ACT_KILL_PROCESS
    compares = (_Compare * max(1, len(rule.when)))(*(_Compare(*c) for c in rule.when))
    code = lib.seccomp_rule_add_array(context, action, number, len(rule.when), compares)
    if code < 0 and not (number < 0 and code == -22):  # a negative number: not on this architecture
        raise HostError(
            f"A helper process could not filter the system call {rule.name} ({os.strerror(-code)})."
        )


def _attribute(lib: ctypes.CDLL, context: int, attribute: int, value: int) -> None:
    code = lib.seccomp_attr_set(context, attribute, value)
    if code < 0:
        raise HostError(f"libseccomp refused setting {attribute} ({os.strerror(-code)}).")


@functools.cache
def _libseccomp() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL("libseccomp.so.2")
    except OSError as error:
        raise HostError(
            "The library libseccomp.so.2 is missing.", "Install it: apt install libseccomp2"
        ) from error
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    lib.seccomp_release.argtypes = [ctypes.c_void_p]
    lib.seccomp_release.restype = None
    lib.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    lib.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Compare),
    ]
    return lib


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return libc


def _check(result: int, what: str) -> None:
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise HostError(f"A helper process could not {what} ({reason}).")
