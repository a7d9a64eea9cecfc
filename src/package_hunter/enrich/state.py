"""The state that events leave behind: threads, their descriptors, users, and the facts that it started from."""

from __future__ import annotations

from package_hunter.enrich.fds import Fd
from package_hunter.enrich.kinds import AT_FDCWD
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.threads import Thread, Threads, from_entry_thread
from package_hunter.model.table import StartState


class State:
    """Threads and descriptors as the events so far left them, and the facts they started from."""

    def __init__(self, start: StartState, names: NameTable | None = None) -> None:
        self.names = names
        self.num = 0
        self.restart(start)

    def restart(self, start: StartState) -> None:
        """Begins anew from other tables (a recording may hold several sections); numbers go on."""
        self.start = start
        self.boot_ns = start.boot_ns
        self.users, self.groups = dict(start.users), dict(start.groups)
        self.container = start.container
        self.hostname = start.hostname
        self.interfaces: tuple[bytes, ...] = start.interfaces
        self.threads = Threads()
        self.leaving = 0
        self.closing: tuple[Thread, int] | None = None
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
