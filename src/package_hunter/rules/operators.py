"""What each operator means for each type of value, as plain functions; and each operator in English.

Meanings are Falco's as documented and as a real Falco was seen to behave (docs/falco-differences.md). An
absent value (None) makes every operator false; ``not`` around it is then true.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from package_hunter.model.fields import FieldSpec, FieldType
from package_hunter.rules.patterns import ValueProblem, glob_regex, path_test, regex_test, remember

Test = Callable[[Any], bool]
NUMBERS = (FieldType.INT, FieldType.UINT, FieldType.PORT, FieldType.RELTIME, FieldType.ABSTIME)
TEXTS = (FieldType.STRING, FieldType.PATH)
ORDER = ("<", "<=", ">", ">=")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?"
)  # in front of which < may stand


@cache
def predicate(op: str) -> Callable[[Any, Any], bool]:
    """The operator between two values that are known only at run time (``val(…)``, transformers)."""

    def both(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        lefts = left if isinstance(left, tuple) else (left,)
        rights = right if isinstance(right, tuple) else (right,)
        if op == "=":
            return any(a == b for a in lefts for b in rights)
        if op == "!=":
            return not any(a == b for a in lefts for b in rights)
        if op in ("in", "intersects"):
            return any(a in rights for a in lefts)
        if op == "pmatch":
            return any(path_test([str(b)])(str(a)) for a in lefts for b in rights)
        if op in ORDER:
            return any(_ordered(op, a, b) for a in lefts for b in rights)
        return any(bool(_TEXT_OPS[op](str(b))(str(a))) for a in lefts for b in rights)

    return both


def _ordered(op: str, a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])


def _contains_in_any_case(part: str) -> Callable[[str], bool]:
    """Only the case of ASCII letters does not matter, as in Falco."""
    low = part.lower()
    search = re.compile(re.escape(part), re.IGNORECASE | re.ASCII).search
    if not part.isascii():
        return lambda v: search(v) is not None
    return lambda v: low in v.lower() if v.isascii() else search(v) is not None


_TEXT_OPS: dict[str, Callable[[str], Callable[[str], bool]]] = {
    "contains": lambda x: lambda v: x in v,
    "icontains": lambda x: remember(_contains_in_any_case(x)),
    "startswith": lambda x: lambda v: v.startswith(x),
    "endswith": lambda x: lambda v: v.endswith(x),
    "glob": lambda x: remember(regex_test(glob_regex(x))),
    "iglob": lambda x: remember(regex_test(glob_regex(x), "(?i)")),
    "regex": lambda x: remember(regex_test(x, posix=True)),
}


def text_test(op: str, texts: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text starts or ends with, contains, or (``pmatch``) lies below one of ``texts``."""
    if op == "pmatch":
        return path_test(texts)
    tests = [_TEXT_OPS[op](t) for t in texts]
    return lambda v: any(t(v) for t in tests)


def number(text: str, spec: FieldSpec) -> int:
    """A number literal for this field; ValueProblem where it is none or does not fit."""
    if spec.type is FieldType.PORT and not text.isdigit():
        try:
            return socket.getservbyname(text)
        except OSError:
            raise ValueProblem(f"{text!r} is neither a port number nor the name of a service.") from None
    value = int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,20}", text, re.ASCII) else None
    if value is None:
        raise ValueProblem(f"{text!r} is no whole decimal number in range, which {spec.name} needs.")
    low, high = (0, 65535) if spec.type is FieldType.PORT else (-(2**63), 2**63 - 1)
    if spec.type in (FieldType.UINT, FieldType.RELTIME, FieldType.ABSTIME):
        low, high = 0, 2**64 - 1
    if not low <= value <= high:
        raise ValueProblem(f"{text} is out of range for {spec.name} ({low} to {high}).")
    return value


def boolean(text: str, spec: FieldSpec) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueProblem(f"{spec.name} is true or false, not {text!r}.")
    return text == "true"


def address(text: str, spec: FieldSpec) -> bytes:
    """An IP address as packed bytes."""
    try:
        if "%" in text:
            raise ValueError
        return ipaddress.ip_address(text).packed
    except ValueError:
        raise ValueProblem(f"{text!r} is no IP address.") from None


def network(text: str, spec: FieldSpec) -> tuple[int, int, int]:
    """A network as (bytes of an address, mask, prefix), the latter two as numbers."""
    try:
        net = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueProblem(f"{text!r} is no network such as 10.0.0.0/8.") from None
    if net.version == 6 and net.prefixlen == 0:
        raise ValueProblem(f"{text!r} cannot be compared with; write fd.type = ipv6.")
    if "/" not in text:
        raise ValueProblem(f"{text!r} lacks a mask; write {text}/{net.max_prefixlen}.")
    return net.max_prefixlen // 8, int(net.netmask), int(net.network_address)


def literal(text: str, spec: FieldSpec) -> Any:
    """A literal in the form in which the field's values come."""
    if spec.type in NUMBERS:
        return number(text, spec)
    if spec.type is FieldType.BOOL:
        return boolean(text, spec)
    if spec.type is FieldType.IP:
        return address(text, spec)
    if spec.type is FieldType.NET:
        return network(text, spec)
    if spec.type is FieldType.BYTES:
        return text.encode()
    return text


def in_network(net: tuple[int, int, int]) -> Callable[[bytes], bool]:
    """Whether a packed address lies in a network."""
    size, mask, base = net
    return lambda v: len(v) == size and int.from_bytes(v, "big") & mask == base


_ALLOWED = {
    FieldType.BOOL: {"=", "!=", "in", "exists", "intersects"},
    FieldType.IP: {"=", "!=", "in", "exists", "intersects"},
    FieldType.NET: {"=", "!=", "in", "exists", "intersects"},
    FieldType.BYTES: {
        "=",
        "!=",
        "in",
        "exists",
        "intersects",
        "contains",
        "startswith",
        "endswith",
        "bcontains",
        "bstartswith",
    },
}


def check_operator(op: str, spec: FieldSpec) -> None:
    """ValueProblem where the operator makes no sense for the field."""
    allowed = {"in", "exists", "intersects"} if spec.is_list else _ALLOWED.get(spec.type)
    if allowed is None and spec.type in NUMBERS:
        allowed = {"=", "!=", "in", "exists", "intersects", *ORDER}
    if allowed is None:
        allowed = {"=", "!=", "in", "exists", "intersects", "pmatch", *ORDER, *_TEXT_OPS}
    if op not in allowed:
        raise ValueProblem(f"{spec.name} ({spec.type.value}) cannot be compared with {op}.")


class Tests(NamedTuple):
    """What a field's value is tested by: ``any_value`` takes whatever a field gives, absent and tuples included;
    ``one_value`` (None: there is none) only a value that is there and is one, for code that knows that."""

    any_value: Test
    one_value: Test | None = None


def make_tests(spec: FieldSpec, op: str, texts: Sequence[str], modifier: str = "") -> Tests:
    """The tests of a field's value. Values that are tuples (lists, both ends) hold where any item does;
    ``!=`` on a two-sided field where both do."""
    check_operator(op, spec)
    if op == "exists":
        return Tests(lambda v: v is not None)
    if modifier:
        tests = [make_tests(spec, op, [t]).any_value for t in texts]
        if modifier == "allof":
            return Tests(lambda v: all(t(v) for t in tests))
        if modifier == "oneof":
            return Tests(lambda v: sum(t(v) for t in tests) == 1)
        return Tests(lambda v: any(t(v) for t in tests))
    one = _single(spec, op, texts)
    every = (op == "!=" and spec.sided) or (op == "in" and spec.is_list)

    def test(value: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, tuple):
            return bool(value) and all(map(one, value)) if every else any(map(one, value))
        return one(value)

    return Tests(test, one)


def _single(spec: FieldSpec, op: str, texts: Sequence[str]) -> Test:
    if op in ORDER:
        wanted: Any = number(texts[0], spec) if spec.type in NUMBERS else texts[0]
        if spec.type in TEXTS and not _NUMBER.fullmatch(texts[0]):
            raise ValueProblem(f"{op} needs a number, not {texts[0]!r}.")
        return lambda v: _ordered(op, v, wanted)
    if op in ("bcontains", "bstartswith"):
        return _bytes_test(op, texts[0], spec)
    if op in _TEXT_OPS and spec.type is FieldType.BYTES:
        part = texts[0].encode()
        return {
            "contains": lambda v: part in v,
            "startswith": lambda v: v.startswith(part),
            "endswith": lambda v: v.endswith(part),
        }[op]
    if op in _TEXT_OPS:
        return _TEXT_OPS[op](texts[0])
    if op == "pmatch":
        return path_test(texts)
    values = [literal(t, spec) for t in texts]
    if spec.type is FieldType.NET:
        nets = [in_network(n) for n in values]
        if op == "!=":
            return lambda v: not any(n(v) for n in nets)
        return lambda v: any(n(v) for n in nets)
    known = frozenset(values)
    return (lambda v: v not in known) if op == "!=" else (lambda v: v in known)


def _bytes_test(op: str, text: str, spec: FieldSpec) -> Test:
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        raise ValueProblem(f"{op} takes an even number of hex digits, not {text!r}.")
    part = bytes.fromhex(text)
    return (lambda v: part in v) if op == "bcontains" else (lambda v: v.startswith(part))
