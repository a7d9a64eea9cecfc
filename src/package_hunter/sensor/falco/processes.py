"""What Falco's alerts tell of processes and connections: less than our probe sees, only of those that raised
an alert and their ancestors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.observation import Alert, Process, SocketUse
from package_hunter.sensor.falco.alert import number, text

_MAX_PROCESSES = 20_000
_MAX_ANCESTORS = 16
_ENDS = re.compile(r"\[?([0-9A-Fa-f.:]+?)\]?:(\d+)->\[?([0-9A-Fa-f.:]+?)\]?:(\d+)")


@dataclass
class _Known:
    """A process as the latest alert has it; ``start`` is Falco's proc.pid.ts (0: not said)."""

    key: int
    pid: int
    start: int
    seen: int
    parent: int | None = None
    name: str = ""
    exepath: str = ""
    cmdline: str = ""
    cwd: str = ""
    vpid: int = 0
    uid: int = 0
    execs: list[str] = field(default_factory=list)

    def process(self) -> Process:
        """In the form of our own sensor."""
        return Process(
            key=self.key,
            parent=self.parent,
            pid=self.pid,
            vpid=self.vpid,
            name=self.name,
            exepath=self.exepath,
            cmdline=self.cmdline,
            cwd=self.cwd,
            uid=self.uid,
            started_ns=self.start or self.seen,
            ended_ns=None,
            exit_code=None,
            execs=tuple(self.execs),
        )


class Told:
    """The processes and connections that alerts told of, in the order in which they came."""

    def __init__(self) -> None:
        self._by_pid: dict[int, _Known] = {}
        self._all: list[_Known] = []
        self._sockets: list[SocketUse] = []

    def add(self, alert: Alert) -> None:
        """An alert of the box."""
        fields = alert.output_fields
        pid = number(fields, "proc.pid")
        if not pid or pid < 0 or len(self._all) >= _MAX_PROCESSES:
            return
        known = self._get(pid, alert.time_ns, number(fields, "proc.pid.ts") or 0)
        self._describe(known, fields)
        below = known
        for above_pid, facts in _ancestors(fields):
            above = self._get(above_pid, alert.time_ns, 0)
            below.parent = above.key if below.parent is None and above is not below else below.parent
            above.name = above.name or facts[0]
            above.cmdline = above.cmdline or facts[1]
            below = above
        self._connection(known, alert)

    def processes(self) -> tuple[Process, ...]:
        """All of them."""
        return tuple(known.process() for known in self._all)

    def sockets(self) -> tuple[SocketUse, ...]:
        """The connections that alerts named."""
        return tuple(self._sockets)

    def _get(self, pid: int, time_ns: int, start: int) -> _Known:
        known = self._by_pid.get(pid)
        if known is not None and (not start or not known.start or known.start == start):
            known.start = known.start or start
            known.seen = min(known.seen, time_ns)
            return known
        known = self._by_pid[pid] = _Known(len(self._all) + 1, pid, start, time_ns)
        self._all.append(known)
        return known

    def _describe(self, known: _Known, fields: Mapping[str, Any]) -> None:
        cmdline = text(fields, "proc.cmdline")
        if known.cmdline and cmdline and cmdline != known.cmdline and len(known.execs) < _MAX_ANCESTORS:
            known.execs.append(known.cmdline)
        known.cmdline = cmdline or known.cmdline
        known.name = text(fields, "proc.name") or known.name
        known.exepath = text(fields, "proc.exepath") or known.exepath
        known.cwd = text(fields, "proc.cwd") or known.cwd
        known.vpid = number(fields, "proc.vpid") or known.vpid
        known.uid = number(fields, "user.uid") or known.uid

    def _connection(self, known: _Known, alert: Alert) -> None:
        fields = alert.output_fields
        ends = _ENDS.fullmatch(text(fields, "fd.name"))
        if ends is None or not all(int(port) < 1 << 16 for port in (ends[2], ends[4])):
            return
        protocol = text(fields, "fd.l4proto") or "tcp"
        self._sockets.append(
            SocketUse(known.key, alert.time_ns, protocol, ends[3], int(ends[4]), ends[1], int(ends[2]), 0)
        )


def _ancestors(fields: Mapping[str, Any]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Pid, name and command line of each ancestor that the alert names, nearest first."""
    yield from _until_unknown(
        (
            number(fields, f"proc.apid[{n}]") or (number(fields, "proc.ppid") if n == 1 else None),
            text(fields, f"proc.aname[{n}]") or (text(fields, "proc.pname") if n == 1 else ""),
            text(fields, f"proc.acmdline[{n}]") or (text(fields, "proc.pcmdline") if n == 1 else ""),
        )
        for n in range(1, _MAX_ANCESTORS)
    )


def _until_unknown(
    found: Iterable[tuple[int | None, str, str]],
) -> Iterator[tuple[int, tuple[str, str]]]:
    for pid, name, cmdline in found:
        if pid is None or pid <= 0:
            return
        yield pid, (name, cmdline)
