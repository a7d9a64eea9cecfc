"""Which system calls are reported, as which of Falco's events, and how each parameter is written.

This is the one source for all of it: the loader turns a row into a small program for the probe
(probe/values.h runs it), ``python -m package_hunter.sensor.table`` prints the table of the docs, and
the tests walk over it.
A row's steps stand in the order of the event's parameters in model/events.tsv.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from package_hunter.model.event import BIRTHS, event_numbers
from package_hunter.sensor.calls import all_rows
from package_hunter.sensor.steps import Flag, Op, Prep, Row, Step

__all__ = ["Flag", "Op", "Prep", "Row", "Step", "Syscall", "rows", "syscalls"]


@cache
def rows() -> tuple[Row, ...]:
    """All rows; a row's place is the number of its program in the probe."""
    return tuple(all_rows())


@dataclass(frozen=True, slots=True)
class Syscall:
    """A system call's numbers; ``None`` where an architecture has none. ``falco`` is its PPM_SC number."""

    name: str
    x86_64: int | None
    aarch64: int | None
    i386: int | None
    falco: int | None

    def number(self, machine: str) -> int | None:
        """Its number on a machine as uname names it, or on ``i386``."""
        return {"x86_64": self.x86_64, "aarch64": self.aarch64, "i386": self.i386}[machine]


@cache
def syscalls() -> dict[str, Syscall]:
    """Name -> numbers, from syscalls.tsv."""
    text = resources.files("package_hunter.sensor").joinpath("syscalls.tsv").read_text(encoding="utf-8")
    found: dict[str, Syscall] = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        name, *numbers = line.split("\t")
        values = [None if n == "-" else int(n) for n in numbers]
        found[name] = Syscall(name, values[0], values[1], values[2], values[3])
    return found


def _keys(condition: bool) -> frozenset[int]:
    return frozenset(r.event.number for r in rows() if r.volume is condition)


def default_events() -> frozenset[int]:
    """Event numbers that a scan takes where no filter is given: everything but the high-volume calls."""
    return _keys(False) | {event_numbers()["syscall_close_x"]}


def full_events() -> frozenset[int]:
    """Every event number that the probe can make."""
    return _keys(False) | _keys(True)


_STATE = (
    *BIRTHS,
    "syscall_execve_19_x",
    "syscall_execveat_x", "procexit_1_e", "syscall_openat_2_x", "syscall_open_x", "syscall_openat2_x",
    "syscall_creat_x", "syscall_open_by_handle_at_x", "syscall_memfd_create_x", "syscall_close_range_x",
    "syscall_dup_1_x", "syscall_dup2_x", "syscall_dup3_x", "syscall_fcntl_x", "syscall_pipe_x",
    "syscall_pipe2_x", "syscall_eventfd_x", "syscall_eventfd2_x", "syscall_signalfd_x", "syscall_signalfd4_x",
    "syscall_timerfd_create_x", "syscall_inotify_init_x", "syscall_inotify_init1_x", "syscall_epoll_create_x",
    "syscall_epoll_create1_x", "syscall_userfaultfd_x", "syscall_pidfd_open_x", "syscall_pidfd_getfd_x",
    "syscall_bpf_2_x", "syscall_io_uring_setup_x", "socket_socket_x", "socket_socketpair_x", "socket_bind_x",
    "socket_connect_x", "socket_listen_x", "socket_accept_5_x", "socket_accept4_6_x", "socket_recvmsg_x",
    "syscall_chdir_x", "syscall_fchdir_x", "syscall_chroot_x", "syscall_setuid_x", "syscall_setgid_x",
    "syscall_setreuid_x", "syscall_setregid_x", "syscall_setresuid_x", "syscall_setresgid_x",
    "syscall_setsid_x",
    "syscall_setpgid_x", "syscall_capset_x", "syscall_prctl_x", "syscall_setns_x", "syscall_unshare_x",
    "syscall_prlimit_x", "syscall_setrlimit_x", "socket_sendto_x", "generic_x",
)  # fmt: skip


FCNTL = event_numbers()["syscall_fcntl_x"]


def state_events() -> frozenset[int]:
    """Event numbers that every scan takes, whatever its rules ask for: processes, descriptors, identities and
    working directories stay right without `close`, since whatever makes a descriptor replaces the old one."""
    return frozenset(event_numbers()[k] for k in _STATE)


def dispatch(machine: str) -> dict[int, tuple[int, int]]:
    """Syscall number -> program, PPM_SC number, on ``x86_64``, ``aarch64`` or ``i386`` (the 32-bit entry of
    x86: there calls without a row of their own are generic events, for the entry itself is worth telling)."""
    table: dict[int, tuple[int, int]] = {}
    places = {name: i for i, row in enumerate(rows()) for name in row.syscalls}
    generic = len(rows()) - 1
    for call in syscalls().values():
        number = call.number(machine)
        place = places.get(call.name, generic if machine == "i386" else None)
        if number is not None and place is not None:
            table[number] = (place, call.falco or 0)
    return table


def check() -> None:
    """Raises ValueError where a row does not fit its event."""
    for row in rows():
        if len(row.steps) != len(row.event.params):
            raise ValueError(f"{row.key}: {len(row.steps)} steps for {len(row.event.params)} parameters")


def markdown() -> str:
    """The table of docs/sensor.md."""
    head = [
        "| system call | numbers (x86_64, aarch64, i386) | event | parameters | default set |",
        "|---|---|---|---|---|",
    ]
    lines = []
    for row in rows():
        names = row.syscalls or (f"({row.note})",)
        for name in names:
            call = syscalls().get(name)
            numbers = (
                ", ".join(str(n) if n is not None else "-" for n in (call.x86_64, call.aarch64, call.i386))
                if call
                else ""
            )
            params = ", ".join(p.name for p in row.event.params)
            lines.append(
                f"| {name} | {numbers} | {row.event.name} (`{row.key}`) | {params} "
                f"| {'no' if row.volume else 'yes'} |"
            )
    return "\n".join(head + sorted(set(lines))) + "\n"


def page() -> str:
    """docs/sensor-calls.md."""
    return (
        "# System calls that the sensor reports\n\n"
        "Made by `python -m package_hunter.sensor.table > docs/sensor-calls.md`; a test holds it current.\n"
        "Every row is reported on success and failure, on kernels from 6.1 on (a call that a kernel does\n"
        "not have fails with ENOSYS, and is reported so). Calls that are not in the default set are part\n"
        "of the full set, which recordings may take.\n\n" + markdown()
    )


if __name__ == "__main__":
    check()
    print(page(), end="")
