"""What the probe can do for a parameter, and what a row of the table of system calls is made of."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from package_hunter.model.event import EventInfo, event_numbers, event_table


class Op(enum.IntEnum):
    """How one parameter is made. The numbers are given to the probe through generated.h."""

    EMPTY = 1
    CONST = 2  # 0 in `aux` bytes
    RET = 3
    RET32 = 4
    S32 = 5
    UINT = 6  # `aux` bytes, through a table
    U32_AS_64 = 7
    IF_OK = 8  # the value on success, else -1
    OPEN_MODE = 9
    MODE = 10
    MKNOD_MODE = 11
    MOUNT_FLAGS = 12
    ENCODE_DEV = 13
    PATH = 14
    SOCKADDR = 15
    TUPLE_OUT = 16
    TUPLE_IN = 17
    TUPLE_NEW = 18
    DATA_OUT = 19
    DATA_IN = 20
    IOV_OUT = 21
    IOV_IN = 22
    IOV_SIZE = 23
    RET_SIZE = 24
    CONTROL = 25
    BYTES = 26
    QUEUE = 27
    SOCKOPT = 28
    SOCKOPT_NAME = 29
    PTRACE_ADDR = 30
    PTRACE_DATA = 31
    PRCTL_STR = 32
    PRCTL_INT = 33
    FSCONFIG = 34
    DYN_INT = 35
    EXE_USER = 36
    ARGS_USER = 37
    ENV_USER = 38
    CLONE_FLAGS = 39
    SYSCALL = 40
    SYSCALL_ID = 41
    POLL = 42
    FUTEX = 43
    ACCESS = 44
    SOCK_PAIR = 45
    FD_INO = 46
    # of the file that the call made or was given
    FILE_FIRST = 64
    OPEN_FLAGS = 65
    CREAT_FLAGS = 66
    DEV = 67
    INO = 68
    FILE_PATH = 69
    # of the task
    TASK_FIRST = 96
    TID = 97
    PID = 98
    PTID = 99
    FDLIMIT = 100
    PGFT_MAJ = 101
    PGFT_MIN = 102
    VM_SIZE = 103
    VM_RSS = 104
    VM_SWAP = 105
    COMM = 106
    CGROUPS = 107
    EUID = 108
    EGID = 109
    VTID = 110
    VPID = 111
    VPGID = 112
    PGID = 113
    PIDNS_START = 114
    EXE = 115
    ARGS = 116
    ENV = 117
    TTY = 118
    LOGINUID = 119
    EXE_FLAGS = 120
    CAP_INHERITABLE = 121
    CAP_PERMITTED = 122
    CAP_EFFECTIVE = 123
    EXE_INO = 124
    EXE_CTIME = 125
    EXE_MTIME = 126
    EXEPATH = 127
    FILENAME = 128
    STATUS = 129
    EXIT_RET = 130
    EXIT_SIG = 131
    EXIT_CORE = 132
    REAPER = 133


class Prep(enum.IntEnum):
    """A structure in user memory whose members become arguments 8, 9, …"""

    NONE = 0
    HOW = 1
    RLIMIT = 2
    LONG = 3
    PRLIMIT = 4
    INT_PAIR = 5
    INT = 6
    MSGHDR = 7
    MMSGHDR = 8
    IO_URING = 9
    CLONE3 = 10
    SEMBUF = 11
    TIMESPEC = 12
    PPOLL = 13
    THREE_INTS = 14


class Flag(enum.IntFlag):
    """What else a program needs or adds (shared.h, PROG_*)."""

    NONE = 0
    FILE_RET = 1
    FILE_ARG = 2
    EXTRA = 4
    PATH = 8
    CWD = 16
    START = 32
    SKIP_ZERO = 64
    LOCAL = 128


@dataclass(frozen=True, slots=True)
class Step:
    """One parameter: an operation, the argument that it takes, a detail, the name of a flag table."""

    op: Op
    arg: int = 0
    aux: int = 0
    table: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An event and the system calls that make it. ``volume`` marks calls that a busy program makes all the
    time and that tell little: they are only part of the full set."""

    key: str
    syscalls: tuple[str, ...]
    steps: tuple[Step, ...]
    flags: Flag = Flag.NONE
    prep: Prep = Prep.NONE
    prep_arg: int = 0
    volume: bool = False
    address: tuple[int, int] | None = None  # arguments of a socket address and its length that are watched
    note: str = ""

    @property
    def event(self) -> EventInfo:
        return event_table()[event_numbers()[self.key]]

    @property
    def watched(self) -> tuple[int, ...]:
        """Path arguments that are compared between entry and exit (two at most)."""
        return tuple(s.arg for s in self.steps if s.op is Op.PATH and s.aux)
