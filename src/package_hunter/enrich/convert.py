"""Events of old recordings become those of today: parameters of an entry event join its exit event."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

from package_hunter.enrich.event import Ev, MalformedEvent
from package_hunter.enrich.kinds import LENGTHS, Kind, kind_of
from package_hunter.model.event import HEADER

_MAX_STEPS = 20
_MAX_KEPT = 10_000
_FIXED = {
    **dict.fromkeys(("int8", "uint8", "flags8", "enumflags8", "sigtype", "l4proto", "sockfamily", "bool"), 1),
    **dict.fromkeys(("int16", "uint16", "flags16", "enumflags16", "syscallid", "port"), 2),
    **dict.fromkeys(
        ("int32", "uint32", "flags32", "enumflags32", "mode", "uid", "gid", "sigset", "ipv4addr"), 4
    ),
    **dict.fromkeys(("int64", "uint64", "errno", "fd", "pid", "reltime", "abstime", "double"), 8),
}


class Rule(NamedTuple):
    """What becomes of an event of one type with one number of parameters."""

    action: str
    kind: Kind | None
    steps: tuple[str, ...]


@cache
def rules() -> dict[tuple[int, int], Rule]:
    """(event type, number of parameters) -> what becomes of it."""
    text = resources.files("package_hunter.enrich").joinpath("data/convert.tsv").read_text("utf-8")
    table: dict[tuple[int, int], Rule] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, count, action, *rest = line.split("\t")
            action, _, target = action.partition(":")
            steps = tuple(rest[0].split()) if rest else ()
            table[kind_of(key).number, int(count)] = Rule(action, kind_of(target) if target else None, steps)
    return table


class Converter:
    """Keeps entry events until their exit comes, one a thread."""

    def __init__(self) -> None:
        self._rules = rules()
        self._enter: dict[int, Ev] = {}

    def wants(self, ev: Ev) -> bool:
        """Is it an event that is not of today's form?"""
        return (ev.type, ev.nparams) in self._rules

    def convert(self, ev: Ev) -> Ev | None:
        """The event in today's form; None: an entry that its exit needs, or it cannot be converted."""
        for _ in range(_MAX_STEPS):
            rule = self._rules.get((ev.type, ev.nparams))
            if rule is None or rule.action == "pass":
                return ev
            if rule.action in ("store", "both"):
                if len(self._enter) > _MAX_KEPT:
                    self._enter.clear()
                self._enter[ev.tid] = ev
                return ev if rule.action == "both" else None
            try:
                ev = self._rebuild(ev, rule)
            except (MalformedEvent, OverflowError):
                return None
        return ev

    def _rebuild(self, ev: Ev, rule: Rule) -> Ev:
        kind = rule.kind or ev.kind
        params = [ev.param(i) for i in range(ev.nparams)] if rule.action == "add" else []
        enter = self._enter.get(ev.tid)
        if enter is not None and enter.type != ev.type - 1:
            enter = None
        for step in rule.steps:
            params.append(self._value(ev, enter, kind, len(params), step))
        if any(step[0] == "e" for step in rule.steps) and enter is not None:
            self._enter.pop(ev.tid, None)
        return Ev(pack(ev.ts, ev.tid, kind, params), ev.cpu)

    def _value(self, ev: Ev, enter: Ev | None, kind: Kind, index: int, step: str) -> bytes:
        if step == "-":
            return b""
        if step[0] == "o":
            return ev.param(int(step[1:]))
        if step[0] == "e" and enter is not None:
            return enter.param(int(step[1:].rstrip("?")))
        if step == "json" or step.endswith("?") or index >= len(kind.params):
            return b""
        return default(kind.params[index].type)


def default(type_: str) -> bytes:
    """The value that stands for one that was never recorded."""
    fill = b"\xff" if type_ in ("uid", "gid") else b"\0"
    return fill * _FIXED.get(type_, 0)


def pack(ts: int, tid: int, kind: Kind, params: list[bytes]) -> bytes:
    """An event in Falco's layout. OverflowError where a parameter is too long for its length field."""
    limit = 0xFFFF if kind.length_size == 2 else 0xFFFFFFFF
    if any(len(p) > limit for p in params):
        raise OverflowError("parameter too long")
    lengths = LENGTHS[kind.length_size][len(params)].pack(*map(len, params))
    body = b"".join(params)
    return (
        HEADER.pack(ts, tid, HEADER.size + len(lengths) + len(body), kind.number, len(params))
        + lengths
        + body
    )
