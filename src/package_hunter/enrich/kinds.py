"""What each event type means to the enrichment: flags as booleans, where its descriptor and paths stand.

Everything here is worked out once from ``model.event.event_table``, so that the hot path only looks up slots.
"""

from __future__ import annotations

import struct
from functools import cache
from importlib import resources

from package_hunter.model.event import EventInfo, event_table

AT_FDCWD = -100

# Where the descriptor stands that an exit event works on (facts from falcosecurity/libs 0.23.2,
# userspace/libscap/scap_event.c); events that create one are not here: their descriptor is the result.
_FD_AT_1 = """setns_x listen_x shutdown_x fchdir_x lseek_x llseek_x ioctl_3_x fstat_x close_x getdents_x
    getdents64_x
    flock_x copy_file_range_x fcntl_x dup_1_x dup2_x dup3_x newfstatat_x fchownat_x fchmodat_x mkdirat_x
    unlinkat_2_x mknodat_x sendmmsg_x recvmmsg_x io_uring_register_x io_uring_enter_x setsockopt_x
    getsockopt_x fsconfig_x finit_module_x fchmod_x fchown_x"""
_FD_AT_2 = """read_x pread_x bind_x write_x pwrite_x recv_x send_x sendto_x sendmsg_x sendfile_x splice_x
    writev_x pwritev_x connect_x symlinkat_x"""
_FD_AT_3 = "recvfrom_x readv_x preadv_x"
_FD_AT = {
    **dict.fromkeys(_FD_AT_1.split(), 1),
    **dict.fromkeys(_FD_AT_2.split(), 2),
    **dict.fromkeys(_FD_AT_3.split(), 3),
    "recvmsg_x": 5,
    "mmap_x": 8,
    "mmap2_x": 8,
    "mmap_e": 4,
    "mmap2_e": 4,
    "splice_e": 1,
}

SIGNED = frozenset({"int8", "int16", "int32", "int64", "errno", "fd", "pid"})
TEXT = frozenset({"charbuf", "fspath", "fsrelpath"})


class Kind:
    """An event type, ready for use. ``fd_at`` is -1 where no parameter holds a descriptor it works on."""

    __slots__ = (
        "category",
        "converts",
        "dirfd_of",
        "fd_at",
        "index",
        "info",
        "is_exit",
        "is_meta",
        "is_syscall",
        "key",
        "known",
        "length_size",
        "name",
        "number",
        "old_enter",
        "params",
        "reads",
        "returns",
        "touches_fd",
        "unused",
        "uses_fd",
        "waits",
        "writes",
    )

    def __init__(self, info: EventInfo) -> None:
        flags = info.flags
        self.info = info
        self.number = info.number
        self.key = info.key
        self.name = info.name
        self.params = info.params
        self.known = len(info.params)
        self.is_exit = bool(info.number & 1)
        self.is_syscall = "syscall" in info.categories
        self.is_meta = "metaevent" in info.categories
        self.category = next((c for c in info.categories if c not in _SOURCES), "unknown")
        self.uses_fd = "uses_fd" in flags
        self.touches_fd = bool({"uses_fd", "creates_fd", "destroys_fd"} & flags)
        self.reads = "reads_from_fd" in flags
        self.writes = "writes_to_fd" in flags
        self.waits = "waits" in flags
        self.unused = "unused" in flags
        self.converts = info.key in converted_keys()
        self.old_enter = not self.is_exit and "old_version" in flags and "converter_managed" not in flags
        self.length_size = 4 if "large_payload" in flags else 2
        # every system call's exit but the generic one begins with its result
        self.returns = self.is_syscall and self.is_exit and info.key != "generic_x" and bool(info.params)
        self.index = {p.name: i for i, p in reversed(list(enumerate(info.params)))}
        self.fd_at = self._fd_at()
        self.dirfd_of = self._dirfds()

    def _fd_at(self) -> int:
        if not self.uses_fd:
            return -1
        short = self.key.removeprefix("syscall_").removeprefix("socket_")
        return _FD_AT.get(short, -1 if self.is_exit else 0)

    def _dirfds(self) -> tuple[int, ...]:
        """For each parameter: which one is the directory descriptor that its path is relative to, or -1."""
        found: list[int] = []
        last_fd = -1
        for i, param in enumerate(self.params):
            if param.type == "fd":
                last_fd = i
            found.append(last_fd if param.type == "fsrelpath" else -1)
        return tuple(found)


@cache
def converted_keys() -> frozenset[str]:
    """Keys of the event types of which some are not of today's form."""
    text = resources.files("package_hunter.enrich").joinpath("data/convert.tsv").read_text("utf-8")
    return frozenset(line.split("\t")[0] for line in text.splitlines() if line and not line.startswith("#"))


_SOURCES = frozenset({"syscall", "tracepoint", "plugin", "metaevent"})


@cache
def kinds() -> tuple[Kind | None, ...]:
    """Event type number -> what it means; None for a number that no type has."""
    table = event_table()
    return tuple(Kind(table[n]) if n in table else None for n in range(max(table) + 1))


def kind_of(key: str) -> Kind:
    """The event type with this key, e.g. ``syscall_openat_2_x``."""
    return _by_key()[key]


@cache
def _by_key() -> dict[str, Kind]:
    return {kind.key: kind for kind in kinds() if kind is not None}


LENGTHS = {
    size: tuple(struct.Struct(f"<{n}{code}") for n in range(80)) for size, code in ((2, "H"), (4, "I"))
}
"""Readers of a parameter length table, by the size of a length and the number of parameters."""


@cache
def flag_sets() -> dict[str, tuple[tuple[str, int], ...]]:
    """Name of a flag set -> its names and values, in the order in which they are tried."""
    text = resources.files("package_hunter.enrich").joinpath("data/flags.tsv").read_text("utf-8")
    sets: dict[str, tuple[tuple[str, int], ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, *pairs = line.split("\t")
            sets[name] = tuple((flag, int(value)) for flag, value in (p.split("=") for p in pairs))
    return sets


@cache
def syscall_names() -> tuple[dict[int, str], dict[int, str]]:
    """Names of the system calls of generic events: by Falco's own number, and by x86_64's."""
    text = resources.files("package_hunter.enrich").joinpath("data/syscalls.tsv").read_text("utf-8")
    own: dict[int, str] = {}
    native: dict[int, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            number, name, host = line.split("\t")
            own[int(number)] = name
            if host != "-":
                native[int(host)] = name
    return own, native
