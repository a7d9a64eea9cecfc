"""Output templates: ``%field``, ``%field[arg]``, ``%toupper(field)`` within text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Container
from typing import Any, NamedTuple

from package_hunter.model.fields import FieldSpec, FieldType, field_catalogue
from package_hunter.model.times import rfc3339
from package_hunter.rules.ast import FieldRef, Operand, Transformation
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.operands import ResolveError, argument_names, fields_of, operand_spec
from package_hunter.rules.parse import DOTTED, ConditionError, field_ref, parse_condition

_DIGITS = re.compile(r"[0-9]*")
_CALL = re.compile(r"(?:tolower|toupper|b64|basename|len|join|concat|getopt)\(")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+")
_ARGUMENT = re.compile(r"\[[^\]]*\]")
ABSENT = "<NA>"
MAX_WIDTH = 10_000


class OutputError(ValueError):
    """A template that cannot be read: a sentence, and whether it is a field's name that is not known."""

    def __init__(self, message: str, unknown_field: bool = False) -> None:
        super().__init__(message)
        self.unknown_field = unknown_field


class Shown(NamedTuple):
    """A field of a template: its name as written, and the width that it is cut or filled up to (0: as it is)."""

    key: str
    operand: Operand
    width: int = 0


def parse_output(template: str) -> list[str | Shown]:
    """Literal texts and fields in turn."""
    text = template.removeprefix("*")
    parts: list[str | Shown] = []
    pos = 0
    while (at := text.find("%", pos)) >= 0:
        parts.append(text[pos:at])
        shown, pos = _field(text, at)
        parts.append(shown)
    parts.append(text[pos:])
    return [p for p in parts if p != ""]


def unsupported_fields(template: str) -> list[FieldSpec]:
    """Fields of a template that no event has here; they are shown as absent."""
    return [spec for spec in _specs(template) if spec.unsupported]


def deprecated_fields(template: str) -> list[FieldSpec]:
    """Fields of a template that Falco itself warns of."""
    return [spec for spec in _specs(template) if spec.deprecated and not spec.unsupported]


def _specs(template: str) -> list[FieldSpec]:
    refs = [
        ref for part in parse_output(template) if isinstance(part, Shown) for ref in fields_of(part.operand)
    ]
    return [spec for ref in refs if (spec := field_catalogue().get(ref.name)) is not None]


def _field(text: str, at: int) -> tuple[Shown, int]:
    digits = _DIGITS.match(text, at + 1)
    assert digits is not None
    width, start = int(digits.group()[:9] or 0), digits.end()
    if width > MAX_WIDTH:
        raise OutputError(f"A field of the output is {width} wide; {MAX_WIDTH} is the most.")
    if start == len(text.rstrip()):
        raise OutputError(f"The output ends with {text[at:]!r}; a lone % cannot be written.")
    if _CALL.match(text, start):
        return _call(text, start - 1, text.index("(", start) + 1, width)
    name, end = _name(text, start)
    arg = _ARGUMENT.match(text, end)
    if arg is None or name == "evt.abspath" or _catalogued(name).arg == "none":
        if field_ref(name, None).arg is None and _catalogued(name).arg in ("key", "index"):
            raise OutputError(f"{name} in the output needs an argument, as in %{name}[…].")
        return Shown(name, field_ref(name, None), width), end
    return Shown(name + arg.group(), field_ref(name, arg.group()[1:-1]), width), arg.end()


def _name(text: str, start: int) -> tuple[str, int]:
    """The longest name of a field that stands there, and its end: what follows is text, as in Falco."""
    found = _NAME.match(text, start)
    written = found.group() if found else ""
    known = field_catalogue()
    name = next((n for n in (written[:k] for k in range(len(written), 0, -1)) if n in known), "")
    for prefix in DOTTED:
        if written.startswith(f"{prefix}."):
            name = f"{prefix}.{_argument(prefix, written[len(prefix) + 1 :])}"
    if not name:
        raise OutputError(
            f"The output names {written or text[start : start + 20]!r}, which is no field; "
            "a lone % cannot be written.",
            unknown_field=True,
        )
    if _catalogued(name).filter_only:
        raise OutputError(f"{name} can stand in conditions only, not in an output.")
    return name, start + len(name)


def _argument(prefix: str, written: str) -> str:
    if prefix == "thread.cgroup":
        found = re.match("[A-Za-z_]*", written)
        return found.group() if found else ""
    known: Container[str] = argument_names()
    if prefix == "evt.type.is":
        known = event_names()
    elif prefix == "evt.abspath":
        known = ("src", "dst")
    name = next((n for n in (written[:k] for k in range(len(written), 0, -1)) if n in known), "")
    if not name:
        raise OutputError(f"The output names {prefix}.{written}: no event has an argument {written!r}.")
    return name


def _catalogued(name: str) -> FieldSpec:
    known = field_catalogue()
    ref = field_ref(name, None)
    return known[ref.name]


def _call(text: str, at: int, pos: int, width: int) -> tuple[Shown, int]:
    depth, end = 1, pos
    while end < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    written = text[at + 1 : end]
    try:
        left = getattr(parse_condition(f"{written} exists"), "left", None)
    except ConditionError as error:
        raise OutputError(f"{written!r} in the output cannot be read: {error.message}") from None
    assert isinstance(left, Transformation)
    try:
        operand_spec(left)
    except ResolveError as error:
        raise OutputError(f"{written!r} in the output: {error.message}") from None
    return Shown(written, left, width), end


def time_of_day(ns: int) -> str:
    """``HH:MM:SS.nnnnnnnnn`` in UTC."""
    seconds, rest = divmod(ns, 1_000_000_000)
    seconds %= 86_400
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}.{rest:09d}"


def show(value: Any) -> str:
    """A value as the output shows it."""
    if value is None:
        return ABSENT
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return "(" + ",".join(map(show, value)) + ")"
    return str(value)


def shown_as(ref: Operand) -> Callable[[Any], Any]:
    """How a field's value goes into output_fields: addresses as text, times as ns, all else as it is."""
    spec = field_catalogue().get(ref.name) if isinstance(ref, FieldRef) else None
    if spec is not None and spec.type in (FieldType.IP, FieldType.NET):
        return lambda v: None if v is None else _address(v)
    return lambda v: (
        v.decode("utf-8", "replace") if isinstance(v, bytes) else list(v) if isinstance(v, tuple) else v
    )


def _address(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_address(v) for v in value]
    return str(ipaddress.ip_address(value))


_CLOCKS: dict[str, Callable[[int], str]] = {
    "evt.time": time_of_day,
    "evt.outputtime": time_of_day,
    "evt.time.s": lambda ns: time_of_day(ns)[:8],
    "evt.time.iso8601": rfc3339,
    "evt.datetime": lambda ns: rfc3339(ns).replace("T", " ").rstrip("Z"),
    "evt.datetime.s": lambda ns: rfc3339(ns).replace("T", " ")[:19],
}


class Template:
    """A rule's output, ready to be filled: ``fill`` gives the text and the typed ``output_fields``."""

    clock = staticmethod(time_of_day)

    def __init__(self, output: str, getter: Callable[[Operand], Callable[[Any], Any]]) -> None:
        self._parts: list[str | Callable[[Any], str]] = []
        self._fields: dict[str, Callable[[Any], Any]] = {"evt.time": lambda event: event.ts}
        self._type = getter(FieldRef("evt.type"))
        for part in parse_output(output.strip()):  # a folded text of YAML ends its line, an alert does not
            if isinstance(part, str):
                self._parts.append(part)
                continue
            getter_of = _absent if _is_unsupported(part.operand) else getter
            self._parts.append(_wide(_shower(part.operand, getter_of), part.width))
            if not isinstance(part.operand, Transformation):
                self._fields[part.key] = _json_getter(part.operand, getter_of)

    def fill(self, event: Any) -> tuple[str, dict[str, Any]]:
        """The text and the fields of one event."""
        text = "".join(p if isinstance(p, str) else p(event) for p in self._parts)
        return text, {key: get(event) for key, get in sorted(self._fields.items())}

    def event_type(self, event: Any) -> str:
        """Name of the event."""
        return str(self._type(event))


def _is_unsupported(operand: Operand) -> bool:
    return any((spec := field_catalogue().get(r.name)) and spec.unsupported for r in fields_of(operand))


def _absent(operand: Operand) -> Callable[[Any], Any]:
    return lambda event: None


def _wide(show: Callable[[Any], str], width: int) -> Callable[[Any], str]:
    return show if not width else lambda event: show(event)[:width].ljust(width)


def _shower(operand: Operand, getter: Callable[[Operand], Callable[[Any], Any]]) -> Callable[[Any], str]:
    if isinstance(operand, FieldRef) and (clock := _CLOCKS.get(operand.name)) is not None:
        return lambda event: clock(event.ts)
    get, shown = getter(operand), shown_as(operand)
    return lambda event: show(shown(get(event)))


def _json_getter(
    operand: FieldRef, getter: Callable[[Operand], Callable[[Any], Any]]
) -> Callable[[Any], Any]:
    if operand.name in _CLOCKS:
        return lambda event: event.ts
    get, shown = getter(operand), shown_as(operand)
    return lambda event: shown(get(event))
