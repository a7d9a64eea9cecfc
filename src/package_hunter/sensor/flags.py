"""The kernel's flags and enumerations in Falco's own encoding (falcosecurity/libs names them PPM_…).

A bit table gives for each bit that the kernel uses the bits that Falco writes; an enumeration gives Falco's
number for each of the kernel's. Where both agree there is no table.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BitTable:
    """Kernel bit -> Falco's bits."""

    name: str
    bits: dict[int, int]


@dataclass(frozen=True, slots=True)
class EnumTable:
    """Kernel number -> Falco's number; ``default`` for all others."""

    name: str
    values: dict[int, int] = field(default_factory=dict)
    default: int = 0


def _same(name: str, *bits: int) -> BitTable:
    return BitTable(name, {b: b for b in bits})


# Falco's file flags (PPM_O_*); the access mode in the two lowest bits is encoded apart.
_F_CREAT, _F_APPEND, _F_DSYNC, _F_EXCL, _F_NONBLOCK, _F_SYNC = 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
_F_TRUNC, _F_DIRECT, _F_DIRECTORY, _F_LARGEFILE = 1 << 8, 1 << 9, 1 << 10, 1 << 11
_F_CLOEXEC, _F_TMPFILE = 1 << 12, 1 << 13

# Where an architecture's open flags differ from asm-generic/fcntl.h.
_OPEN_BITS: dict[str, dict[str, int]] = {
    "x86_64": {"directory": 0o200000, "direct": 0o40000, "largefile": 0o100000},
    "aarch64": {"directory": 0o40000, "direct": 0o200000, "largefile": 0o400000},
}
O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK = 0o100, 0o200, 0o1000, 0o2000, 0o4000
O_DSYNC, O_CLOEXEC, O_SYNC_BIT, O_TMPFILE_BIT = 0o10000, 0o2000000, 0o4000000, 0o20000000


def open_flags(machine: str) -> BitTable:
    """open(2)'s flags. O_SYNC holds O_DSYNC, and O_TMPFILE holds O_DIRECTORY: Falco reports the larger flag
    for either bit, and so do we."""
    bits = _OPEN_BITS[machine]
    return BitTable(
        "open_flags",
        {
            O_CREAT: _F_CREAT,
            O_EXCL: _F_EXCL,
            O_TRUNC: _F_TRUNC,
            O_APPEND: _F_APPEND,
            O_NONBLOCK: _F_NONBLOCK,
            O_DSYNC: _F_DSYNC | _F_SYNC,
            O_SYNC_BIT: _F_SYNC,
            bits["direct"]: _F_DIRECT,
            bits["directory"]: _F_DIRECTORY | _F_TMPFILE,
            O_TMPFILE_BIT: _F_TMPFILE,
            bits["largefile"]: _F_LARGEFILE,
            O_CLOEXEC: _F_CLOEXEC,
        },
    )


CLONE = BitTable(
    "clone_flags",
    {
        0x00000400: 1 << 0,  # FILES
        0x00000200: 1 << 1,  # FS
        0x80000000: 1 << 2,  # IO
        0x08000000: 1 << 3,  # NEWIPC
        0x40000000: 1 << 4,  # NEWNET
        0x00020000: 1 << 5,  # NEWNS
        0x20000000: 1 << 6,  # NEWPID
        0x04000000: 1 << 7,  # NEWUTS
        0x00008000: 1 << 8,  # PARENT
        0x00100000: 1 << 9,  # PARENT_SETTID
        0x00002000: 1 << 10,  # PTRACE
        0x00000800: 1 << 11,  # SIGHAND
        0x00040000: 1 << 12,  # SYSVSEM
        0x00010000: 1 << 13,  # THREAD
        0x00800000: 1 << 14,  # UNTRACED
        0x00000100: 1 << 15,  # VM
        0x10000000: 1 << 20,  # NEWUSER
        0x00200000: 1 << 23,  # CHILD_CLEARTID
        0x01000000: 1 << 24,  # CHILD_SETTID
        0x00080000: 1 << 25,  # SETTLS
        0x00004000: 1 << 27,  # VFORK
        0x02000000: 1 << 28,  # NEWCGROUP
    },
)
PROT = BitTable("prot_flags", {1: 1, 2: 2, 4: 4, 8: 8, 0x01000000: 1 << 4, 0x02000000: 1 << 5})
MMAP = BitTable(
    "mmap_flags",
    {
        0x01: 1 << 0,  # SHARED
        0x02: 1 << 1,  # PRIVATE
        0x10: 1 << 2,  # FIXED
        0x20: 1 << 3,  # ANONYMOUS
        0x40: 1 << 4,  # 32BIT
        0x4000: 1 << 6,  # NORESERVE
        0x8000: 1 << 7,  # POPULATE
        0x10000: 1 << 8,  # NONBLOCK
        0x0100: 1 << 9,  # GROWSDOWN
        0x0800: 1 << 10,  # DENYWRITE
        0x1000: 1 << 11,  # EXECUTABLE
        0x2000: 1 << 14,  # LOCKED
    },
)
# Flags that descriptors may be made with, outside of open.
FD_FLAGS = BitTable("fd_flags", {O_NONBLOCK: _F_NONBLOCK, O_CLOEXEC: _F_CLOEXEC})
DUP3 = BitTable("dup3_flags", {O_CLOEXEC: _F_CLOEXEC})


def pipe2_flags(machine: str) -> BitTable:
    """pipe2(2)'s flags."""
    return BitTable(
        "pipe2_flags",
        {O_NONBLOCK: _F_NONBLOCK, O_CLOEXEC: _F_CLOEXEC, _OPEN_BITS[machine]["direct"]: _F_DIRECT},
    )


EPOLL_CREATE1 = BitTable("epoll_create1_flags", {O_CLOEXEC: 1})
PIDFD_OPEN = BitTable("pidfd_open_flags", {O_NONBLOCK: 1})
MEMFD = _same("memfd_create_flags", 1, 2, 4)
UNLINKAT = _same("unlinkat_flags", 0x200)
LINKAT = _same("linkat_flags", 0x400, 0x1000)
FCHOWNAT = _same("fchownat_flags", 0x400, 0x1000)
NEWFSTATAT = _same("newfstatat_flags", 0x100, 0x800, 0x1000)
UMOUNT = _same("umount_flags", 1, 2, 4, 8)
SPLICE = _same("splice_flags", 1, 2, 4, 8)
CLOSE_RANGE = _same("close_range_flags", 2, 4)
FLOCK = BitTable("flock_flags", {1: 1, 2: 2, 4: 4, 8: 8})
MLOCKALL = _same("mlockall_flags", 1, 2, 4)
MLOCK2 = _same("mlock2_flags", 1)
FINIT_MODULE = _same("finit_module_flags", 1, 2, 4)
DELETE_MODULE = BitTable("delete_module_flags", {O_TRUNC: 1, O_NONBLOCK: 2})
ACCESS = BitTable("access_flags", {1: 1, 2: 2, 4: 4})
RESOLVE = BitTable(
    "openat2_flags", {0x01: 1 << 4, 0x02: 1 << 2, 0x04: 1 << 3, 0x08: 1, 0x10: 1 << 1, 0x20: 1 << 5}
)
IO_URING_SETUP = BitTable(
    "io_uring_setup_flags", {1: 1, 2: 2, 4: 1 << 3, 8: 1 << 4, 16: 1 << 5, 32: 1 << 6, 64: 1 << 7}
)
IO_URING_FEATURES = _same("io_uring_setup_feats", *(1 << i for i in range(11)))
IO_URING_ENTER = _same("io_uring_enter_flags", 1, 2, 4, 8)

_FAMILIES = [*range(27), *range(29, 40)]
FAMILY = EnumTable("socket_families", {f: f for f in _FAMILIES}, default=0)
FCNTL = EnumTable(
    "fcntl_commands",
    {
        0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 8, 7: 9, 8: 10, 9: 12, 10: 13, 11: 15, 15: 21, 16: 22,
        36: 30, 37: 31, 38: 32, 1024: 23, 1025: 24, 1029: 25, 1030: 26, 1026: 27, 1031: 28, 1032: 29,
    },
)  # fmt: skip
RLIMIT = EnumTable("rlimit_resources", {i: i for i in range(16)}, default=255)
SHUTDOWN = EnumTable("shutdown_how", {0: 0, 1: 1, 2: 2}, default=255)
SOCKOPT_LEVEL = EnumTable("sockopt_levels", {1: 1, 6: 2})
SOCKOPT = EnumTable(
    "sockopt_options",
    {
        1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 32: 32, 33: 33, 9: 9, 10: 10, 11: 11, 12: 12, 13: 13,
        14: 14, 15: 15, 16: 16, 17: 17, 18: 18, 19: 19, 20: 20, 21: 21, 66: 20, 67: 21, 22: 22, 23: 23,
        24: 24, 25: 25, 26: 26, 27: 27, 28: 28, 29: 29, 30: 30, 31: 31, 34: 34, 35: 35, 36: 36, 37: 37,
        38: 38,
        39: 39, 40: 40, 41: 41, 42: 42, 43: 43, 44: 44, 45: 45, 46: 46, 47: 47, 48: 48, 49: 49, 50: 50,
        59: 51,
        55: 52, 57: 53,
    },
)  # fmt: skip
PTRACE = EnumTable(
    "ptrace_requests",
    {
        0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 16: 11, 17: 12, 24: 13, 0x4200: 14,
        0x4201: 15, 0x4202: 16, 0x4203: 17, 0x4204: 18, 0x4205: 19, 0x4206: 20, 0x4207: 21, 0x4208: 22,
        0x4209: 23, 0x420A: 24, 0x420B: 25, 12: 26, 13: 27, 14: 28, 15: 29, 18: 30, 19: 31, 21: 32, 25: 33,
        26: 34, 30: 35, 31: 36, 32: 37, 33: 38,
    },
)  # fmt: skip
LSEEK = EnumTable("lseek_whence", {0: 0, 1: 1, 2: 2})
SEMCTL = EnumTable(
    "semctl_commands",
    {2: 1, 1: 2, 0: 4, 3: 8, 19: 16, 18: 32, 13: 64, 14: 128, 11: 256, 12: 512, 15: 1024, 17: 2048, 16: 4096},
)
SEMOP = BitTable("semop_flags", {0o4000: 1, 0x1000: 2})
SEMGET = BitTable("semget_flags", {0o1000: 1 << 13, 0o2000: 1 << 14})


def tables(machine: str) -> list[BitTable | EnumTable]:
    """All tables, in the order of their numbers (from 1)."""
    return [
        open_flags(machine), CLONE, PROT, MMAP, FD_FLAGS, DUP3, pipe2_flags(machine), EPOLL_CREATE1,
        PIDFD_OPEN, MEMFD, UNLINKAT, LINKAT, FCHOWNAT, NEWFSTATAT, UMOUNT, SPLICE, CLOSE_RANGE, FLOCK,
        MLOCKALL, MLOCK2, SEMOP, FINIT_MODULE, DELETE_MODULE, ACCESS, RESOLVE, IO_URING_SETUP,
        IO_URING_FEATURES, IO_URING_ENTER,
        FAMILY, FCNTL, RLIMIT, SHUTDOWN, SOCKOPT_LEVEL, SOCKOPT, PTRACE, LSEEK, SEMCTL, SEMGET,
    ]  # fmt: skip


def makes_files(machine: str) -> int:
    """The open flags with which a mode counts."""
    return O_CREAT | O_TMPFILE_BIT
