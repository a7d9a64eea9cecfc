"""Events one after the other, each back with what is known of it then.

enricher = Enricher(start)
ev = enricher.feed(raw, cpu)      # None: not for the rules (malformed, unknown, an entry kept for its exit)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from package_hunter.enrich.convert import Converter
from package_hunter.enrich.event import Ev, MalformedEvent, UnknownEvent
from package_hunter.enrich.handlers import files as on_files
from package_hunter.enrich.handlers import processes as on_process
from package_hunter.enrich.handlers import sockets as on_sockets
from package_hunter.enrich.kinds import kind_of, kinds, syscall_names
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.state import State
from package_hunter.enrich.threads import Thread
from package_hunter.model.event import BIRTHS
from package_hunter.model.table import StartState

Handler = Callable[[State, Ev], None]


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
        *BIRTHS,
        *("procexit_1_e", "schedswitch_6_e"),
    )
)
_EXECVE_X, _EXECVEAT_E = kind_of("syscall_execve_19_x").number, kind_of("syscall_execveat_e").number
_NO_THREAD = frozenset(k.number for k in kinds() if k and (k.is_meta or "skipparsereset" in k.info.flags))


class Enricher:
    """Takes raw events in their order; ``feed`` gives each with its thread and descriptor.

    ``state`` is what they left behind, ``counts`` says how many were left out and why.
    """

    def __init__(self, start: StartState, names: NameTable | None = None) -> None:
        self.state = State(start, names)
        self.counts = {"malformed": 0, "unknown": 0, "unused": 0}
        self._convert = Converter()
        syscall_names()  # read now: a confined reader opens no files later

    def restart(self, start: StartState) -> None:
        """Begins anew from other tables (a recording may hold several sections); numbers go on."""
        self.state.restart(start)

    def feed(self, raw: bytes, cpu: int = 0) -> Ev | None:
        """One event. None: malformed or unknown (counted), or an entry that only its exit needs."""
        state = self.state
        if state.closing is not None:
            thread, number = state.closing
            table = thread.table()
            if table is not None:
                table.pop(number, None)
            state.closing = None
        if state.leaving:
            state.threads.remove(state.leaving)
            state.leaving = 0
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
        state.num += 1
        ev.num = state.num
        ev.state = state
        number = ev.type
        if number in _NO_THREAD:
            return ev
        if not state.first_ts:
            state.first_ts = ev.ts
        self._attach(ev, number)
        handler = _HANDLERS[number]
        if handler is not None:
            handler(state, ev)
            fd = ev.fd
            if fd is not None:
                ev.name_changed = fd.name != fd.named
        return ev

    def _attach(self, ev: Ev, number: int) -> None:
        """Finds the event's thread, its entry event and its descriptor."""
        thread = self.state.threads.by_tid.get(ev.tid)
        if thread is None:
            if number in _BIRTHS:
                return
            thread = self.state.unknown(ev.tid)
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
