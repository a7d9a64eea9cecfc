"""Fields of the event itself (facts: falcosecurity/libs sinsp_filtercheck_event.cpp, _gen_event.cpp)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from package_hunter.enrich import render
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import O_CREATED, O_TMPFILE
from package_hunter.enrich.kinds import kind_of, syscall_names
from package_hunter.enrich.paths import join
from package_hunter.enrich.text import name_of
from package_hunter.model.event import event_table
from package_hunter.model.fields import Extract

_SECOND = 1_000_000_000
_GENERIC_X, _ASYNC = kind_of("generic_x").number, kind_of("asyncevent_e").number
_OPEN, _OPENAT, _OPENAT2, _BY_HANDLE, _CREAT = (
    kind_of(f"syscall_{n}_x").number for n in ("open", "openat_2", "openat2", "open_by_handle_at", "creat")
)
FLAGS_AT = {_OPEN: 2, _OPENAT: 3, _OPENAT2: 3, _BY_HANDLE: 2}
MODE_AT = {_OPEN: 3, _OPENAT: 4, _OPENAT2: 4, _CREAT: 2}
MAKES = O_TMPFILE | 4  # flags of an open that may make a file
_ANY_EXEC = 0o111


def clock(ns: int) -> str:
    """Time of day, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(ns // _SECOND)) + f".{ns % _SECOND:09d}"


def _date(ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ns // _SECOND))


def _type(ev: Ev) -> str:
    number = ev.type
    if number == _GENERIC_X:
        own, native = syscall_names()
        code = ev.uint(0)
        if code == 0 and ev.param(1):
            return native.get(ev.uint(1), "unknown")
        return own.get(code, "")
    if number == _ASYNC:
        return ev.text(1)
    return ev.kind.name


def _category(ev: Ev) -> str:
    name = ev.kind.category
    if not name.startswith("io_"):
        return _CATEGORY_NAMES.get(name, name)
    kind = ev.fd.kind if ev.fd is not None else None
    if kind in ("file", "directory"):
        return "file"
    if kind in ("ipv4", "ipv6"):
        return "net"
    return "ipc" if kind in ("pipe", "unix", "event", "signalfd", "inotify", "userfaultfd") else "unknown"


_CATEGORY_NAMES = {"ipc": "IPC"}


def _result(of: Callable[[Ev], Any]) -> Extract:
    def get(ev: Ev) -> Any:
        return of(ev) if ev.kind.returns and ev.nparams else None

    return get


def _res(ev: Ev) -> str:
    return "SUCCESS" if ev.res >= 0 else render.shown(ev, 0) or ""


def _flag(bit: int) -> Extract:
    def get(ev: Ev) -> bool:
        at = FLAGS_AT.get(ev.type)
        return at is not None and bool(ev.uint(at) & bit)

    return get


def _is_create(ev: Ev) -> bool:
    at = FLAGS_AT.get(ev.type)
    if at is None:
        return False
    flags = ev.uint(at)
    return bool(flags & O_CREATED) or bool(flags & O_TMPFILE and ev.res >= 0)


def is_exec(ev: Ev) -> bool:
    """Does the call make a file that may be executed?"""
    mode = MODE_AT.get(ev.type)
    if mode is None:
        return False
    if ev.type != _CREAT and not ev.uint(FLAGS_AT[ev.type]) & MAKES:
        return False
    return bool(ev.uint(mode) & _ANY_EXEC)


def _abspath(arg: str | None) -> Extract:
    side = {"src": 1, "dst": 2}.get(arg or "", 0)

    def get(ev: Ev) -> Any:
        names = _AT_PATHS.get(ev.kind.key)
        if ev.thread is None:
            return None
        if ev.type == _BY_HANDLE:
            return join("", name_of(ev.param(3))) if ev.res > 0 else None
        if names is None:
            return None
        at = 2 if side == 2 and len(names) > 2 else 0
        dirfd, path = ev.kind.index.get(names[at]), ev.kind.index.get(names[at + 1])
        if dirfd is None or path is None or not ev.param(dirfd) or not ev.param(path):
            return None
        text = name_of(ev.param(path))
        base = ev.state.dir_of(ev.thread, text, ev.sint(dirfd))
        return join("" if base == "." else "<UNKNOWN>/" if base == "<UNKNOWN>" else base, text)

    return get


_AT_PATHS = {
    **dict.fromkeys(
        ("syscall_renameat_x", "syscall_renameat2_x"), ("olddirfd", "oldpath", "newdirfd", "newpath")
    ),
    "syscall_symlinkat_x": ("linkdirfd", "linkpath"),
    **dict.fromkeys(("syscall_openat_2_x", "syscall_openat2_x", "syscall_unlinkat_2_x"), ("dirfd", "name")),
    "syscall_linkat_2_x": ("olddir", "oldpath", "newdir", "newpath"),
    "syscall_mkdirat_x": ("dirfd", "path"),
    "syscall_fchmodat_x": ("dirfd", "filename"),
    "syscall_fchownat_x": ("dirfd", "pathname"),
}


def _indexes(name: str) -> dict[int, int]:
    """Event type -> where its parameter of this name stands."""
    found: dict[int, int] = {}
    for number, info in event_table().items():
        for i, param in enumerate(info.params):
            if param.name == name:
                found.setdefault(number, i)
    return found


def _arg(arg: str | None) -> Extract:
    if arg is None:
        raise KeyError("evt.arg")
    if arg.isdigit():
        at = int(arg)
        return lambda ev: render.shown(ev, at)
    indexes = _indexes(arg)
    if not indexes:
        raise KeyError(f"evt.arg.{arg}")

    def get(ev: Ev) -> Any:
        i = indexes.get(ev.type)
        return None if i is None else render.shown(ev, i)

    return get


def _rawarg(arg: str | None) -> Extract:
    indexes = _indexes(arg or "")
    if not indexes:
        raise KeyError(f"evt.rawarg.{arg}")

    def get(ev: Ev) -> Any:
        i = indexes.get(ev.type)
        return None if i is None else render.raw_value(ev, i)

    return get


_DATA = _indexes("data")


def _buffer(ev: Ev) -> Any:
    i = _DATA.get(ev.type)
    return None if i is None or i >= ev.nparams else ev.param(i)


def _length(ev: Ev) -> Any:
    if ev.fd is None or not ev.kind.category.startswith("io_") or not ev.kind.is_exit:
        return None
    return ev.res if ev.res >= 0 else None


def _errors(of: Callable[[Ev], bool]) -> Extract:
    def get(ev: Ev) -> Any:
        return int(ev.res < 0) if ev.kind.returns and ev.nparams and of(ev) else None

    return get


OPENS = frozenset({_OPEN, _OPENAT, _OPENAT2, _BY_HANDLE, _CREAT})
_NET_CALLS = frozenset({"accept", "accept4", "connect"})


def _is_file(ev: Ev) -> bool:
    return ev.fd.kind in ("file", "directory") if ev.fd is not None else ev.type in OPENS


def _is_net(ev: Ev) -> bool:
    return ev.fd.kind in ("ipv4", "ipv6", "unix") if ev.fd is not None else ev.kind.name in _NET_CALLS


class _Delta:
    """Time since the event before; one state a rule."""

    def __init__(self, of: Callable[[int], int]) -> None:
        self._of = of
        self._last = 0

    def __call__(self, ev: Ev) -> int:
        last, self._last = self._last or ev.ts, ev.ts
        return self._of(ev.ts - last)


def _is_type(arg: str | None) -> Extract:
    numbers = frozenset(n for n, i in event_table().items() if i.name == arg or str(n) == arg)
    return lambda ev: int(ev.type in numbers)


PLAIN: dict[str, Extract] = {
    "evt.num": lambda ev: ev.num,
    "evt.time": lambda ev: clock(ev.ts),
    "evt.outputtime": lambda ev: clock(ev.ts),
    "evt.time.s": lambda ev: clock(ev.ts)[:8],
    "evt.time.iso8601": lambda ev: _date(ev.ts).replace(" ", "T") + f".{ev.ts % _SECOND:09d}Z",
    "evt.datetime": lambda ev: _date(ev.ts) + f".{ev.ts % _SECOND:09d}",
    "evt.datetime.s": lambda ev: _date(ev.ts),
    "evt.rawtime": lambda ev: ev.ts,
    "evt.rawtime.s": lambda ev: ev.ts // _SECOND,
    "evt.rawtime.ns": lambda ev: ev.ts % _SECOND,
    "evt.reltime": lambda ev: ev.ts - ev.state.first_ts,
    "evt.reltime.s": lambda ev: (ev.ts - ev.state.first_ts) // _SECOND,
    "evt.reltime.ns": lambda ev: (ev.ts - ev.state.first_ts) % _SECOND,
    "evt.dir": lambda ev: "<" if ev.kind.is_exit else ">",
    "evt.type": _type,
    "syscall.type": lambda ev: _type(ev) if ev.kind.is_syscall else None,
    "evt.category": _category,
    "evt.cpu": lambda ev: ev.cpu,
    "evt.args": render.everything,
    "evt.info": render.everything,
    "evt.buffer": _buffer,
    "evt.buflen": _length,
    "evt.res": _result(_res),
    "evt.rawres": _result(lambda ev: ev.res),
    "evt.failed": _result(lambda ev: ev.res < 0),
    "evt.is_io": lambda ev: ev.kind.reads or ev.kind.writes,
    "evt.is_io_read": lambda ev: ev.kind.reads,
    "evt.is_io_write": lambda ev: ev.kind.writes,
    "evt.io_dir": lambda ev: "write" if ev.kind.writes else "read" if ev.kind.reads else None,
    "evt.is_wait": lambda ev: ev.kind.waits,
    "evt.is_syslog": lambda ev: bool(ev.kind.writes and ev.fd is not None and "/dev/log" in ev.fd.name),
    "evt.count": lambda ev: 1,
    "evt.count.error": _errors(lambda ev: True),
    "evt.count.error.file": _errors(_is_file),
    "evt.count.error.net": _errors(_is_net),
    "evt.count.error.memory": _errors(lambda ev: ev.kind.category == "memory"),
    "evt.count.error.other": _errors(
        lambda ev: not (_is_file(ev) or _is_net(ev) or (ev.fd is None and ev.kind.category == "memory"))
    ),
    "evt.count.exit": lambda ev: 1 if ev.kind.is_exit else None,
    "evt.is_open_read": _flag(1),
    "evt.is_open_write": _flag(2),
    "evt.is_open_exec": is_exec,
    "evt.is_open_create": _is_create,
    "evt.source": lambda ev: "syscall",
    "evt.is_async": lambda ev: ev.kind.is_meta,
    "evt.asynctype": lambda ev: _type(ev) if ev.kind.is_meta else None,
    "evt.hostname": lambda ev: ev.state.hostname,
}

WITH_ARG: dict[str, Callable[[str | None], Extract]] = {
    "evt.arg": _arg,
    "evt.rawarg": _rawarg,
    "evt.abspath": _abspath,
    "evt.type.is": _is_type,
    "evt.deltatime": lambda arg: _Delta(lambda ns: ns),
    "evt.deltatime.s": lambda arg: _Delta(lambda ns: ns // _SECOND),
    "evt.deltatime.ns": lambda arg: _Delta(lambda ns: ns % _SECOND),
}
