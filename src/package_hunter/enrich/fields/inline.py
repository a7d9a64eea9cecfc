"""The fields that rules ask for most, as Python text: the code that is compiled for an event type then needs no
call to get them, and what several of them stand on (thread, descriptor, flags) is got once an event.

Each means the same as the function of that name in the ``fields_*`` modules; a test compares the two on every
recorded event.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

from package_hunter.enrich.event import Ev
from package_hunter.enrich.fds import TYPE_CHARS
from package_hunter.enrich.fields import evt as fields_evt
from package_hunter.enrich.fields import fd as fields_fd
from package_hunter.enrich.kinds import Kind, kind_of, kinds
from package_hunter.enrich.render import flags_text
from package_hunter.enrich.threads import Thread
from package_hunter.model.event import BIRTHS
from package_hunter.model.fields import Inline

_MAKERS: dict[str, Callable[[Kind, str | None], Inline | None]] = {}
_MAX_STEPS = 8
_MAY_LACK_THREAD = frozenset(
    kind_of(key).number
    for key in (
        *BIRTHS,
        *("procexit_1_e", "schedswitch_6_e"),
    )
)
_THREAD, _FD, _FLAGS, _NAME = ("#thread", None), ("#fd", None), ("#flags", None), ("fd.name", None)


@cache
def inline(name: str, arg: str | None, number: int) -> Inline | None:
    """The text for a field on events of one type; None where its function has to be called."""
    make = _MAKERS.get(name)
    kind = kinds()[number]
    if make is None or kind is None or not has_thread(kind):
        return None
    return make(kind, arg)


def shape(number: int) -> Hashable:
    """Event types of one shape have the same texts."""
    kind = kinds()[number]
    if kind is None or not has_thread(kind):
        return None if kind is None else kind.touches_fd
    own = number if number in fields_evt.OPENS or kind.touches_fd else 0
    return kind.returns, kind.touches_fd, own


def absent(name: str, arg: str | None, number: int) -> bool:
    """Whether no event of this type has the field."""
    kind = kinds()[number]
    if kind is None:
        return False
    if name in ("evt.arg", "evt.rawarg"):
        return arg is not None and not arg.isdigit() and arg not in kind.index
    return name.startswith("fd.") and not kind.touches_fd


def has_thread(kind: Kind) -> bool:
    """Whether the enrichment always finds a thread for events of this type."""
    return (
        not kind.is_meta and "skipparsereset" not in kind.info.flags and kind.number not in _MAY_LACK_THREAD
    )


def _always(text: Inline) -> Callable[[Kind, str | None], Inline | None]:
    return lambda kind, arg: text if arg is None else None


def _of_thread(slot: str) -> Callable[[Kind, str | None], Inline | None]:
    return _always(Inline(f"{{a}}.{slot}", (_THREAD,)))


def _above(slot: str) -> Callable[[Kind, str | None], Inline | None]:
    """Of the process so many steps up."""

    def make(kind: Kind, arg: str | None) -> Inline | None:
        steps = 1 if arg is None else int(arg)
        if not 0 <= steps <= _MAX_STEPS:
            return None
        return Inline(f"({{A}}.{slot} if {{a}} is not None else None)", ((f"#up{steps}", None),))

    return make


def _ancestor(slot: str) -> Callable[[Kind, str | None], Inline | None]:
    make = _above(slot)
    return lambda kind, arg: None if arg is None else make(kind, arg)


def parent_of(ev: Ev, process: Thread | None) -> Thread | None:
    """The process above a process."""
    if process is None:
        return None
    parent = ev.state.threads.by_tid.get(process.ptid)
    return parent if parent is None or parent.tid == parent.pid else parent.main()


def _on_fd(text: Inline) -> Callable[[Kind, str | None], Inline | None]:
    """Only of calls that work on a descriptor; of others it is absent."""
    absent = Inline("None", keep=False)
    return lambda kind, arg: None if arg is not None else text if kind.touches_fd else absent


def _char(kind: Kind, arg: str | None) -> Inline | None:
    if not kind.touches_fd:
        return Inline("None", keep=False)
    other = fields_fd.CHARS.get(kind.name, "o")
    code = f"(i_chars({{A}}.kind, '?') if {{a}} is not None else {other!r})"
    return Inline(code, (_FD,), {"i_chars": {**TYPE_CHARS, "": "o"}.get})


def _name(raw: bool) -> Callable[[Kind, str | None], Inline | None]:
    asked, slot = ("i_asked_raw", "i_plain({A}.raw_name)") if raw else ("i_asked", "{A}.name")

    def make(kind: Kind, arg: str | None) -> Inline | None:
        if not kind.touches_fd:
            return Inline("None", keep=False)
        names = {asked: fields_fd.asked_of(kind.number, raw), "i_plain": fields_fd.one_slash}
        return Inline(f"({slot} if {{a}} is not None else {asked}(ev))", (_FD,), names)

    return make


def _flag(bit: int) -> Callable[[Kind, str | None], Inline | None]:
    def make(kind: Kind, arg: str | None) -> Inline | None:
        if kind.number not in fields_evt.FLAGS_AT:
            return Inline("False", keep=False)
        return Inline(f"({{a}} & {bit} != 0)", (_FLAGS,), keep=False)

    return make


def _exec(kind: Kind, arg: str | None) -> Inline | None:
    if kind.number not in fields_evt.FLAGS_AT or kind.number not in fields_evt.MODE_AT:
        return None
    text = f"({{a}} & {fields_evt.MAKES} != 0 and i_exec(ev))"
    return Inline(text, (_FLAGS,), {"i_exec": fields_evt.is_exec})


def _open_flags(kind: Kind, arg: str | None) -> Inline | None:
    at = fields_evt.FLAGS_AT.get(kind.number)
    return None if at is None else Inline(f"ev.uint({at})")


def _result(text: str) -> Callable[[Kind, str | None], Inline | None]:
    absent = Inline("None", keep=False)
    return lambda kind, arg: Inline(f"({text} if ev.nparams else None)") if kind.returns else absent


def _argument(kind: Kind, arg: str | None) -> Inline | None:
    """Flags and enumerations of a call: the names of each value are remembered."""
    at = kind.index.get(arg or "")
    if at is None or not _is_named(kind, at):
        return None
    return Inline(f"i_arg_{arg}(ev)", (), {f"i_arg_{arg}": _named(arg or "")})


def _is_named(kind: Kind, at: int) -> bool:
    return kind.params[at].type.startswith(("flags", "enumflags"))


@cache
def _named(arg: str) -> Callable[[Ev], Any]:
    """The argument of this name on any type of event: code is shared among types, in which it stands elsewhere
    and means other flags."""
    sets: dict[int, tuple[int, str, bool]] = {}
    for kind in kinds():
        at = kind.index.get(arg) if kind is not None else None
        if kind is not None and at is not None and _is_named(kind, at):
            param = kind.params[at]
            sets[kind.number] = (at, param.extra, param.type.startswith("enum"))
    other = fields_evt.WITH_ARG["evt.arg"](arg)

    def get(ev: Ev) -> Any:
        where = sets.get(ev.type)
        if where is None:
            return other(ev)
        at, set_, exact = where
        if at >= ev.nparams:
            return None
        data = ev.param(at)
        if not data:
            return "<NA>"
        value = int.from_bytes(data, "little")
        return flags_text(set_, value, exact) or str(value)

    return get


_MAKERS |= {
    "#thread": _always(Inline("ev.thread")),
    "#up0": _always(Inline("({A} if {a}.tid == {A}.pid else {A}.main())", (_THREAD,))),
    **{
        f"#up{n}": _always(Inline("i_up(ev, {a})", ((f"#up{n - 1}", None),), {"i_up": parent_of}))
        for n in range(1, _MAX_STEPS + 1)
    },
    "#fd": _always(
        Inline("(ev.fd or (i_fd(ev) if ev.fd_num >= 0 else None))", (), {"i_fd": fields_fd.fd_of})
    ),
    "#flags": _open_flags,
    "proc.name": _of_thread("comm"),
    "proc.exe": _of_thread("exe"),
    "proc.exepath": _of_thread("exepath"),
    "proc.cmdline": _of_thread("cmdline"),
    "proc.args": _of_thread("args_text"),
    "proc.env": _always(Inline("{a}.env_text", (_THREAD,))),
    "proc.tty": _of_thread("tty"),
    "proc.is_exe_upper_layer": _of_thread("exe_upper"),
    "proc.is_exe_from_memfd": _of_thread("exe_memfd"),
    "user.uid": _of_thread("uid"),
    "proc.pname": _above("comm"),
    "proc.pcmdline": _above("cmdline"),
    "proc.pexepath": _above("exepath"),
    "proc.aname": _ancestor("comm"),
    "proc.aexepath": _ancestor("exepath"),
    "proc.acmdline": _ancestor("cmdline"),
    "proc.aargs": _ancestor("args_text"),
    "fd.num": _on_fd(Inline("ev.fd_num", keep=False)),
    "fd.type": _on_fd(Inline("(({A}.kind or '<NA>') if {a} is not None else None)", (_FD,))),
    "fd.typechar": _char,
    "fd.name": _name(False),
    "fd.nameraw": _name(True),
    "fd.directory": _on_fd(Inline("i_dir({a}, {b})", (_FD, _NAME), {"i_dir": fields_fd.directory_of})),
    "fd.filename": _on_fd(
        Inline("(i_file({A}) if {a} is not None else None)", (_FD,), {"i_file": fields_fd.filename_of})
    ),
    "evt.is_open_read": _flag(1),
    "evt.is_open_write": _flag(2),
    "evt.is_open_exec": _exec,
    "evt.rawres": _result("ev.res"),
    "evt.failed": _result("ev.res < 0"),
    "evt.arg": _argument,
}
