"""The state that events leave behind: feed them one after the other, get each back with what is known of it.

enricher = Enricher(start)
ev = enricher.feed(raw, cpu)      # None: not for the rules (malformed, unknown, an entry kept for its exit)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from package_hunter.enrich.convert import Converter
from package_hunter.enrich.event import Ev, MalformedEvent, UnknownEvent, name_of
from package_hunter.enrich.fds import Fd, address
from package_hunter.enrich.handlers import files as on_files
from package_hunter.enrich.handlers import processes as on_process
from package_hunter.enrich.handlers import sockets as on_sockets
from package_hunter.enrich.kinds import AT_FDCWD, kind_of, kinds, syscall_names
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.threads import Thread, Threads, from_entry_thread
from package_hunter.model.table import StartState

Handler = Callable[["State", Ev], None]


def _handlers() -> tuple[Handler | None, ...]:
    table: list[Handler | None] = [None] * len(kinds())
    groups: tuple[dict[str, Any], ...] = (on_process.HANDLERS, on_files.HANDLERS, on_sockets.HANDLERS)
    for group in groups:
        for key, handler in group.items():
            table[kind_of(key).number] = handler
    return tuple(table)


_HANDLERS = _handlers()
_KEPT = frozenset(
    kind_of(key).number
    for key in (
        *("syscall_open_e", "syscall_creat_e", "syscall_openat_2_e", "syscall_openat2_e"),
        *("syscall_execve_19_e", "syscall_execveat_e", "socket_connect_e"),
    )
)
_BIRTHS = frozenset(
    kind_of(key).number
    for key in (
        *("syscall_clone_20_x", "syscall_fork_20_x", "syscall_vfork_20_x", "syscall_clone3_x"),
        *("procexit_1_e", "schedswitch_6_e"),
    )
)
_EXECVE_X, _EXECVEAT_E = kind_of("syscall_execve_19_x").number, kind_of("syscall_execveat_e").number
_NO_THREAD = frozenset(k.number for k in kinds() if k and (k.is_meta or "skipparsereset" in k.info.flags))


class State:
    """Threads and descriptors as the events so far left them, and the facts they started from."""

    def __init__(self, start: StartState, names: NameTable | None = None) -> None:
        self.names = names
        self.counts = {"malformed": 0, "unknown": 0, "unused": 0}
        self._convert = Converter()
        syscall_names()  # read now: a confined reader opens no files later
        self.restart(start)

    def restart(self, start: StartState) -> None:
        """Begins anew from other tables (a recording may hold several sections); numbers go on."""
        self.start = start
        self.boot_ns = start.boot_ns
        self.users, self.groups = dict(start.users), dict(start.groups)
        self.container = start.container
        self.hostname = start.hostname
        self.interfaces: tuple[bytes, ...] = getattr(start, "interfaces", ())
        self.threads = Threads()
        self.leaving = 0
        self.closing: tuple[Thread, int] | None = None
        self.num = getattr(self, "num", 0)
        self.first_ts = 0
        entries = [from_entry_thread(entry) for entry in start.processes]
        for thread in entries:
            self.threads.by_tid[thread.tid] = thread
        for thread in entries:
            self.threads.link(thread)

    def unknown(self, tid: int) -> Thread:
        """A thread of which nothing is known but its number."""
        thread = Thread(tid)
        self.threads.add(thread)
        return thread

    def made(self, ev: Ev, number: int, fd: Fd) -> None:
        """The event made this descriptor."""
        assert ev.thread is not None
        ev.thread.add_fd(number, fd)
        ev.fd, ev.fd_num = fd, number

    def change(self, ev: Ev) -> Fd:
        """The event's descriptor as a copy of its process's own that may be changed."""
        assert ev.thread is not None and ev.fd is not None
        fd = ev.fd.copy()
        ev.thread.add_fd(ev.fd_num, fd)
        ev.fd = fd
        return fd

    def dir_of(self, thread: Thread, path: str, dirfd: int) -> str:
        """The directory, with a slash, that an at-call's path is relative to; ``.`` if that is absolute."""
        if path.startswith("/"):
            return "."
        if dirfd == AT_FDCWD:
            return thread.working_dir()
        fd = thread.fd(dirfd)
        if fd is None:
            return "<UNKNOWN>"
        return fd.name if not fd.name or fd.name.endswith("/") else fd.name + "/"

    def complete(self, fd: Fd) -> None:
        """A datagram's own end is often unknown to the event: taken from the interfaces, as Falco does."""
        if not any(fd.sip) and fd.dip:
            fd.sip = self._own_address(fd.dip)
        elif not any(fd.dip) and fd.sip:
            fd.dip = self._own_address(fd.sip)

    def _own_address(self, other: bytes) -> bytes:
        own = [ip for ip in self.interfaces if len(ip) == len(other)]
        loopback = (b"\x7f\0\0\1", bytes(15) + b"\1")
        if other in own:
            return other
        return next((ip for ip in own if ip not in loopback), bytes(len(other)))

    def is_local(self, packed: bytes) -> bool:
        """Is it an address of the machine's interfaces?"""
        return packed in self.interfaces

    def render_address(self, ev: Ev, data: bytes) -> str:
        """A socket address as text."""
        if not data:
            return "<NA>"
        if data[0] == 1:
            return name_of(data[1:])
        if data[0] == 2 and len(data) >= 7:
            return f"{address(data[1:5])}:{data[5] | data[6] << 8}"
        if data[0] == 10 and len(data) >= 19:
            return f"{address(data[1:17])}:{data[17] | data[18] << 8}"
        return f"family {data[0]}"

    def render_tuple(self, ev: Ev, data: bytes) -> str:
        """A socket tuple as text."""
        ends = on_sockets.read_tuple(data)
        if ends is None:
            return f"family {data[0]}" if data else "NULL"
        if ends.family == 1:
            return f"{ends.source:x}->{ends.dest:x} {ends.path}"
        return f"{address(ends.sip)}:{ends.sport}->{address(ends.dip)}:{ends.dport}"


class Enricher(State):
    """Takes raw events in their order; ``feed`` gives each with its thread and descriptor."""

    def feed(self, raw: bytes, cpu: int = 0) -> Ev | None:
        """One event. None: malformed or unknown (counted), or an entry that only its exit needs."""
        if self.closing is not None:
            thread, number = self.closing
            table = thread.table()
            if table is not None:
                table.pop(number, None)
            self.closing = None
        if self.leaving:
            self.threads.remove(self.leaving)
            self.leaving = 0
        try:
            ev = Ev(raw, cpu)
        except MalformedEvent:
            self.counts["malformed"] += 1
            return None
        except UnknownEvent:
            self.counts["unknown"] += 1
            return None
        kind = ev.kind
        if kind.unused or kind.old_enter:
            self.counts["unused"] += 1
            return None
        if kind.converts and self._convert.wants(ev):
            converted = self._convert.convert(ev)
            if converted is None:
                return None
            ev = converted
            kind = ev.kind
        self.num += 1
        ev.num = self.num
        ev.state = self
        number = ev.type
        if number in _NO_THREAD:
            return ev
        if not self.first_ts:
            self.first_ts = ev.ts
        self._attach(ev, number)
        handler = _HANDLERS[number]
        if handler is not None:
            handler(self, ev)
            fd = ev.fd
            if fd is not None:
                ev.name_changed = fd.name != fd.named
        return ev

    def _attach(self, ev: Ev, number: int) -> None:
        """Finds the event's thread, its entry event and its descriptor."""
        thread = self.threads.by_tid.get(ev.tid)
        if thread is None:
            if number in _BIRTHS:
                return
            thread = self.unknown(ev.tid)
        ev.thread = thread
        kind = ev.kind
        if not kind.is_exit:
            thread.enter = ev if number in _KEPT and ev.param(0) else None
            if kind.fd_at >= 0 and kind.uses_fd:
                self._look_up(ev, thread, kind.fd_at)
            return
        enter = thread.enter
        if enter is not None:
            if enter.type == number - 1 or (number == _EXECVE_X and enter.type == _EXECVEAT_E):
                ev.enter = enter
            thread.enter = None
        if kind.fd_at >= 0:
            self._look_up(ev, thread, kind.fd_at)

    def _look_up(self, ev: Ev, thread: Thread, at: int) -> None:
        data = ev.param(at)
        if not data:
            return
        number = ev.fd_num = int.from_bytes(data, "little", signed=True)
        if number < 0:
            return
        table = thread.table()
        fd = table.get(number) if table is not None else None
        if fd is not None:
            fd.named = fd.name
            ev.fd = fd
