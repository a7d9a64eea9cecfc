"""Events as JSON objects of field name to value: what `rules match`, `rules test` and the conformance tests
evaluate. Fields that Falco cannot print (`fd.ip`, `fd.net`, ...) are worked out from those that it can."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from package_hunter.model.event import event_table
from package_hunter.model.fields import (
    Extract,
    FieldSource,
    FieldSpec,
    FieldType,
    Inline,
    field_catalogue,
    raw_argument_type,
)
from package_hunter.rules.ast import FieldRef
from package_hunter.rules.evttypes import GENERIC, event_names
from package_hunter.rules.operands import ResolveError, field_spec
from package_hunter.rules.operators import TEXTS

Values = Mapping[str, Any]
_ENDS = re.compile(r"^(?P<ip>[0-9a-fA-F.:]+):(?P<port>\d+)(?:->(?P<ip2>[0-9a-fA-F.:]+):(?P<port2>\d+))?$")
_NUMBERS = (FieldType.INT, FieldType.UINT, FieldType.PORT, FieldType.RELTIME, FieldType.ABSTIME)


class DictEvent(dict[str, Any]):
    """One event of a JSON-lines file; a field that it lacks is None."""

    __slots__ = ("num", "pid", "tid", "ts", "type")

    def __init__(self, values: Values, num: int = 0) -> None:
        super().__init__({key: _normal(key, value) for key, value in values.items()})
        given = self["evt.num"]  # a file may say 0, and write any number as text
        self.num = num if given is None else given
        self.ts = self["evt.rawtime"] or 0
        self.tid = self["thread.tid"] or 0
        self.pid = self["proc.pid"] or 0
        self.type = event_number(str(values.get("evt.type") or ""), str(values.get("evt.dir") or "<"))

    def __missing__(self, key: str) -> None:
        return None


def _normal(key: str, value: Any) -> Any:
    """A JSON value as one of the field's type where it can be; whatever a file holds, a rule meets no other."""
    kind = None if value is None else _kind_of(key)
    if kind is None:
        return None if isinstance(value, list | dict) else value
    if kind in TEXTS:
        if value.__class__ is str:
            return value
        many = isinstance(value, list) and _may_be_many(key)
        return [_shown(v) for v in value] if many else _shown(value)
    if kind is FieldType.BOOL:
        return value in (True, "true") if value in (True, False, "true", "false") else None
    if isinstance(value, list | dict):
        return None
    return _typed(_spec(key), value) if kind in _NUMBERS else str(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(4096)
def _kind_of(key: str) -> FieldType | None:
    """Of which type a field of that name is; None where there is none, or events decide."""
    if key.startswith("evt.rawarg"):
        return None
    if key.startswith("evt.arg"):
        return FieldType.STRING
    try:
        return _spec(key).type
    except ResolveError:
        return None


def _may_be_many(key: str) -> bool:
    spec = field_catalogue().get(key)
    return spec is not None and (spec.is_list or spec.arg == "index?")


@cache
def event_number(name: str, direction: str = "<") -> int:
    """A number of the event type of that name; the generic one for calls without a type of their own."""
    numbers = sorted(event_names().get(name, ()), key=lambda n: ("old_version" in event_table()[n].flags, -n))
    wanted = [n for n in numbers if n % 2 == (direction == "<")]
    return (wanted or numbers or [GENERIC[1]])[0]


class DictSource(FieldSource):
    """Fields of DictEvents. ``constants`` are fields that have one value on every event."""

    def __init__(self, constants: Values | None = None) -> None:
        self.constants = {k: _typed(_spec(k), v) for k, v in (constants or {}).items()}

    def inline(self, name: str, arg: str | None, number: int) -> Inline | None:
        """The field as Python text, where it stands in the event as it is."""
        spec = field_catalogue().get(name)
        if spec is None or arg is not None or name in _SPECIAL or name in self.constants or spec.is_list:
            return None
        if spec.arg != "none" or spec.type not in (FieldType.STRING, FieldType.PATH, FieldType.BOOL):
            return None
        return Inline(f"ev[{name!r}]")

    def extractor(self, name: str, arg: str | None) -> Extract:
        """The function that gives a field; KeyError for names that the catalogue does not have."""
        spec = field_catalogue()[name]
        ref = FieldRef(name, arg)
        if str(ref) in self.constants:
            value = self.constants[str(ref)]
            return lambda event: value
        special = _SPECIAL.get(name)
        if special is not None:
            return special(arg)
        if spec.sided or spec.type is FieldType.NET:
            return _network(name, spec)
        if name in ("evt.rawarg", "evt.arg"):
            return _argument(name, arg or "")
        if name.startswith("proc.a") and spec.arg == "index?" and name != "proc.args":
            return _ancestors(name, arg)
        return _plain(ref)


def _spec(text: str) -> FieldSpec:
    name, _, arg = text.partition("[")
    return field_spec(FieldRef(name, arg[:-1] if arg else None))


def _plain(ref: FieldRef) -> Extract:
    keys, spec = _spellings(ref), field_spec(ref)
    key = keys[0]

    def get(event: DictEvent) -> Any:
        value = next((event[k] for k in keys if k in event), None)
        return None if value is None else _typed(spec, value)

    def number(event: DictEvent) -> Any:
        value = event[key]
        return value if value is None or value.__class__ is int else get(event)

    if len(keys) > 1 or spec.is_list:
        return get
    if spec.type in _NUMBERS:
        return number
    if spec.type in (FieldType.STRING, FieldType.PATH, FieldType.BOOL):
        return itemgetter(key)
    return get


def _spellings(ref: FieldRef) -> list[str]:
    return [str(ref)] if ref.arg is None else [f"{ref.name}.{ref.arg}", f"{ref.name}[{ref.arg}]"]


def _typed(spec: FieldSpec, value: Any) -> Any:
    """A JSON value in the form that docs/architecture.md fixes for the field's type."""
    if value is None:
        return None
    if isinstance(value, list):
        return tuple(_typed(spec, v) for v in value)
    try:
        if spec.type in (FieldType.IP, FieldType.NET):
            return ipaddress.ip_address(value).packed
        if spec.type in _NUMBERS:
            return (
                value if isinstance(value, int) else int(value, 16 if spec.name.startswith("fd.dev") else 10)
            )
    except (ValueError, TypeError):
        return None
    if spec.type is FieldType.BYTES:
        return str(value).encode("latin-1", "replace")
    return value if isinstance(value, bool) or spec.type is FieldType.BOOL else str(value)


def _argument(name: str, arg: str) -> Extract:
    keys = _spellings(FieldRef(name, arg))
    raw = raw_argument_type(arg) if name == "evt.rawarg" else FieldType.STRING

    def get(event: DictEvent) -> Any:
        value = next((event[k] for k in keys if k in event), None)
        if raw in _NUMBERS and isinstance(value, str):
            return int(value, 16) if re.fullmatch(r"[0-9A-Fa-f]+", value) else None
        return value if value is None or raw is not FieldType.STRING else str(value)

    return get


def _ancestors(name: str, arg: str | None) -> Extract:
    own = "proc." + name.removeprefix("proc.a")
    parent = {"proc.aname": "proc.pname", "proc.apid": "proc.ppid"}.get(
        name, "proc.p" + name.removeprefix("proc.a")
    )

    def one(values: Values, level: int) -> Any:
        value = values.get(f"{name}[{level}]")
        if level == 0:
            return values.get(own) if value is None else value
        return values.get(parent) if value is None and level == 1 else value

    if arg is not None:
        level = int(arg) if arg.isdigit() else -1
        return lambda event: one(event, level)

    def every(event: DictEvent) -> Any:
        found = []
        for level in range(1, 64):
            value = one(event, level)
            if value is None:
                break
            found.append(value)
        return tuple(found) or None

    return every


def _network(name: str, spec: FieldSpec) -> Extract:
    if not spec.sided:
        single = _plain(FieldRef(name.replace("net", "ip")))
        return lambda event: single(event)
    port = spec.type is FieldType.PORT

    def both(event: DictEvent) -> Any:
        match = _ENDS.match(str(event.get("fd.name") or ""))
        if match is None or event.get("fd.type") not in ("ipv4", "ipv6"):
            return None
        ends = [(match["ip"], match["port"]), (match["ip2"], match["port2"])]
        if port:
            return tuple(int(p) for _, p in ends if p is not None)
        try:
            return tuple(ipaddress.ip_address(ip).packed for ip, _ in ends if ip is not None)
        except ValueError:
            return None

    return both


def _environment(arg: str | None) -> Extract:
    if arg is None:
        return lambda event: event.get("proc.env")
    key, start = f"proc.env[{arg}]", f"{arg}="

    def get(event: DictEvent) -> Any:
        value = event.get(key)
        if value is not None:
            return str(value)
        words = str(event.get("proc.env") or "").split(" ")
        return next((w[len(start) :] for w in words if w.startswith(start)), "")

    return get


def _is_type(arg: str | None) -> Extract:
    return lambda event: int(event.get("evt.type") == arg)


_SPECIAL: dict[str, Callable[[str | None], Extract]] = {
    "proc.env": _environment,
    "evt.type.is": _is_type,
    "evt.num": lambda arg: lambda event: event.num,
    "evt.source": lambda arg: lambda event: "syscall",
    "evt.dir": lambda arg: lambda event: event.get("evt.dir") or "<",
    "evt.count": lambda arg: lambda event: 1,
    "evt.is_async": lambda arg: lambda event: False,
    "evt.time": lambda arg: lambda event: str(event.ts),
}
