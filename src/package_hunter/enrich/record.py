"""What the report shows besides alerts: processes, files changed, sockets used, canaries read.

BoundedReader: each kind holds at most ``limit`` entries, what was left out is counted in ``cut``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from package_hunter.enrich import addresses
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import O_CREATED, O_TMPFILE, PROTOCOLS, Fd, address
from package_hunter.enrich.fields import fd as fields_fd
from package_hunter.enrich.kinds import kind_of
from package_hunter.enrich.process_record import ProcessRecord
from package_hunter.enrich.text import name_of
from package_hunter.enrich.threads import CLONE_THREAD, Group, Thread
from package_hunter.model.event import BIRTHS, Extra
from package_hunter.model.observation import CanaryRead, FileChange, Process, SocketUse

_MAX_EXECS = 50
_MAX_TEXT = 8192
_MAX_PATH = 4096
_QUIET = ("/dev/null", "/dev/tty", "/dev/pts/", "/dev/zero", "/dev/full")
_CONNECTED = -115
_End = tuple[str, int]  # of a connection: address (or path) and port
_NOWHERE: _End = ("", 0)


def _facts(thread: Thread) -> tuple[Any, ...]:
    """What a process is now, as Process has it from ``pid`` to ``uid``."""
    return (
        *(thread.pid, thread.vpid, thread.comm[:256], thread.exepath[:_MAX_TEXT]),
        *(thread.cmdline[:_MAX_TEXT], thread.working_dir(), thread.uid),
    )


class BehaviourRecorder:
    """Takes each event after enrichment.

    ``canaries`` maps paths in the box to canary ids, ``inodes`` (device as new_encode_dev, inode) likewise: a
    canary is found by either, so hard links and renames do not hide it.
    """

    def __init__(
        self,
        canaries: Mapping[str, str] | None = None,
        inodes: Mapping[tuple[int, int], str] | None = None,
        limit: int = 100_000,
    ) -> None:
        self._canaries = dict(canaries or {})
        self._inodes = dict(inodes or {})
        self._limit = limit
        self._runs: list[ProcessRecord] = []
        self._files: dict[tuple[str, str], tuple[int, int, str | None]] = {}
        # the last of each that another process did: who wrote last is whose the content is
        self._later: dict[tuple[str, str], tuple[int, int, str | None]] = {}
        self._sockets: dict[tuple[Any, ...], SocketUse] = {}
        self._reads: dict[tuple[str, int], CanaryRead] = {}
        self.cut: Counter[str] = Counter()
        self._overflow = ProcessRecord(0, None, 0)
        self._overflow.facts = (0, 0, "", "", "", "", 0)

    def add(self, ev: Ev) -> None:
        """One event."""
        handler = _HANDLERS.get(ev.type)
        if handler is not None and ev.thread is not None:
            handler(self, ev, ev.thread)

    def key_of(self, thread: Thread) -> int:
        """The key of a thread's process; 0 beyond the limit."""
        return self._run(thread, 0).key

    def processes(self) -> tuple[Process, ...]:
        """All processes, in the order in which they were born."""
        return tuple(run.value() for run in self._runs)

    def files(self) -> tuple[FileChange, ...]:
        """File changes: of each path and action the first, and behind those the last of another process."""
        return tuple(
            FileChange(path[:_MAX_PATH], action, *rest)
            for changes in (self._files, self._later)
            for (path, action), rest in changes.items()
        )

    def sockets(self) -> tuple[SocketUse, ...]:
        """Outgoing connections and datagrams."""
        return tuple(self._sockets.values())

    def reads(self) -> tuple[CanaryRead, ...]:
        """Canaries that were opened for reading, once a process."""
        return tuple(self._reads.values())

    def _run(self, thread: Thread, ts: int) -> ProcessRecord:
        group: Group | None = thread.group
        if group is None:
            return self._overflow
        run = group.record
        if run is None:
            run = group.record = self._new(thread, ts)
        return run

    def _new(self, thread: Thread, ts: int, parent: int | None = None) -> ProcessRecord:
        if len(self._runs) >= self._limit:
            self.cut["processes"] += 1
            return self._overflow
        run = ProcessRecord(len(self._runs) + 1, parent, thread.clone_ts or ts)
        run.facts = _facts(thread.main() or thread)
        self._runs.append(run)
        return run

    def _born(self, ev: Ev, thread: Thread) -> None:
        if ev.res < 0:
            return
        child = thread if ev.res == 0 else ev.state.threads.get(ev.res)
        if (
            child is None
            or child.group is None
            or child.flags & CLONE_THREAD
            or child.group.record is not None
        ):
            return
        parent = ev.state.threads.get(child.ptid)
        key = self._run(parent, ev.ts).key if parent is not None and parent.group is not None else None
        child.group.record = self._new(child, ev.ts, key or None)

    def _exec(self, ev: Ev, thread: Thread) -> None:
        if ev.res < 0:
            return
        run = self._run(thread, ev.ts)
        if run is self._overflow:
            return
        if run.facts and len(run.execs) < _MAX_EXECS and run.facts[4] != thread.cmdline:
            run.execs.append(run.facts[4])
        run.facts = _facts(thread)

    def _ended(self, ev: Ev, thread: Thread) -> None:
        run = self._run(thread, ev.ts)
        if run is self._overflow:
            return
        if thread.is_main and ev.param(0):
            status = ev.uint(0)
            run.code = -(status & 0x7F) if status & 0x7F else status >> 8 & 0xFF
        if thread.group is None or thread.group.alive <= 0:
            run.ended = ev.ts

    def _opened(self, ev: Ev, thread: Thread) -> None:
        fd = ev.fd
        if ev.res < 0 or fd is None:
            return
        flags = fd.openflags
        if flags & 1 or not flags & 3:
            self._canary(ev, thread, fd)
        if fd.kind == "directory" or fd.name.startswith(_QUIET):
            return
        if flags & O_CREATED or (ev.kind.name == "creat") or flags & O_TMPFILE:
            self._change(ev, thread, "created", fd.name)
        elif flags & 2:
            self._change(ev, thread, "written", fd.name)

    def _canary(self, ev: Ev, thread: Thread, fd: Fd) -> None:
        canary = self._canaries.get(fd.name)
        if canary is None and self._inodes:
            ino, dev = fd.ino, fd.dev
            data = ev.extra.get(Extra.INODE)
            if data and len(data) >= 12:
                ino, dev = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:12], "little")
            canary = self._inodes.get((dev, ino))
        if canary is None:
            return
        key = self._run(thread, ev.ts).key
        if (canary, key) not in self._reads and self._room(self._reads, "canary_reads"):
            self._reads[canary, key] = CanaryRead(ev.ts, canary, fd.name, key)

    def _room(self, table: dict[Any, Any], kind: str) -> bool:
        if len(table) < self._limit:
            return True
        self.cut[kind] += 1
        return False

    def _change(self, ev: Ev, thread: Thread, action: str, path: str, other: str | None = None) -> None:
        where = (path, action)
        first = self._files.get(where)
        if first is None and not self._room(self._files, "files"):
            return
        key = self._run(thread, ev.ts).key
        if first is None:
            self._files[where] = (key, ev.ts, other)
        elif first[0] != key:
            self._later[where] = (key, ev.ts, other)

    def _connect(self, ev: Ev, thread: Thread) -> None:
        fd = ev.fd
        if fd is None:
            return
        result = -ev.res if ev.res < 0 else 0
        if ev.res < 0 and ev.res != _CONNECTED:
            said = ev.param(3)
            where = addresses.read_address(said)
            if where is None:
                if said[:1] == b"\x01":
                    self._socket(ev, thread, "unix", (name_of(said[1:]), 0), _NOWHERE, result)
                return
            self._socket(ev, thread, _protocol(fd), (address(where[1]), where[2]), _NOWHERE, result)
        elif fd.kind == "unix":
            self._socket(ev, thread, "unix", (fd.name.partition(" ")[2], 0), _NOWHERE, result)
        elif fd.is_ip:
            self._to(ev, thread, fd, result)

    def _sent(self, ev: Ev, thread: Thread) -> None:
        fd = ev.fd
        if fd is not None and fd.is_ip and ev.res >= 0 and PROTOCOLS[fd.l4] in ("udp", "icmp"):
            ends = addresses.read_tuple(ev.param(4))
            if ends is not None and ends.family != 1:
                local = (address(ends.sip), ends.sport)
                self._socket(ev, thread, PROTOCOLS[fd.l4], (address(ends.dip), ends.dport), local, 0)

    def _to(self, ev: Ev, thread: Thread, fd: Fd, result: int) -> None:
        self._socket(
            ev, thread, _protocol(fd), (address(fd.dip), fd.dport), (address(fd.sip), fd.sport), result
        )

    def _socket(self, ev: Ev, thread: Thread, protocol: str, remote: _End, local: _End, result: int) -> None:
        (ip, port), (own, lport) = remote, local
        key = self._run(thread, ev.ts).key
        where = (key, protocol, ip, port, lport, result)
        if where not in self._sockets and self._room(self._sockets, "sockets"):
            self._sockets[where] = SocketUse(key, ev.ts, protocol, ip, port, own, lport, result)


def _protocol(fd: Fd) -> str:
    name = PROTOCOLS[fd.l4]
    return name if name in ("tcp", "udp") else "tcp"


_NAME, _SOURCE, _TARGET = 0, 1, 2


def _single(action: str, which: int) -> Callable[[BehaviourRecorder, Ev, Thread], None]:
    def on(recorder: BehaviourRecorder, ev: Ev, thread: Thread) -> None:
        where = fields_fd.changed_path(ev, which)
        if where:
            recorder._change(ev, thread, action, where)

    return on


def _renamed(recorder: BehaviourRecorder, ev: Ev, thread: Thread) -> None:
    old, new = fields_fd.changed_path(ev, _SOURCE), fields_fd.changed_path(ev, _TARGET)
    if old and new:
        recorder._change(ev, thread, "renamed", old, new)


_Handler = Callable[[BehaviourRecorder, Ev, Thread], None]
_BY_KEY: dict[str, _Handler] = {
    **dict.fromkeys(BIRTHS, BehaviourRecorder._born),
    **dict.fromkeys(("syscall_execve_19_x", "syscall_execveat_x"), BehaviourRecorder._exec),
    "procexit_1_e": BehaviourRecorder._ended,
    **dict.fromkeys(
        (
            *("syscall_open_x", "syscall_creat_x", "syscall_openat_2_x", "syscall_openat2_x"),
            "syscall_open_by_handle_at_x",
        ),
        BehaviourRecorder._opened,
    ),
    **dict.fromkeys(
        ("syscall_unlink_2_x", "syscall_unlinkat_2_x", "syscall_rmdir_2_x"), _single("deleted", _NAME)
    ),
    **dict.fromkeys(("syscall_mkdir_2_x", "syscall_mkdirat_x"), _single("created", _NAME)),
    **dict.fromkeys(
        ("syscall_link_2_x", "syscall_linkat_2_x", "syscall_symlink_x", "syscall_symlinkat_x"),
        _single("created", _SOURCE),
    ),
    **dict.fromkeys(("syscall_rename_x", "syscall_renameat_x", "syscall_renameat2_x"), _renamed),
    **dict.fromkeys(("syscall_chmod_x", "syscall_fchmodat_x", "syscall_fchmod_x"), _single("mode", _NAME)),
    "socket_connect_x": BehaviourRecorder._connect,
    **dict.fromkeys(("socket_sendto_x", "socket_sendmsg_x", "socket_sendmmsg_x"), BehaviourRecorder._sent),
}
_HANDLERS: dict[int, _Handler] = {kind_of(key).number: handler for key, handler in _BY_KEY.items()}
NEEDED = frozenset(_HANDLERS)
"""Event types without which the record has holes: the probe reports them whatever the rules need."""
FAILING = frozenset({kind_of("socket_connect_x").number})
"""Those of which the record tells failures too, or that are under way when they fail."""
