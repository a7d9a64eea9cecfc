"""Whether Falco 0.43 takes a field, an operator and a value together. ``FalcoRefuses`` says why it does not."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from functools import cache

from package_hunter.model.event import event_table
from package_hunter.model.fields import FieldSpec, FieldType
from package_hunter.rules.ast import FieldRef, Transformation
from package_hunter.rules.ast import Operand as OurOperand
from package_hunter.rules.falco_syntax import Comparison, FalcoRefuses, Operand
from package_hunter.rules.operands import ResolveError, operand_spec
from package_hunter.rules.operators import NUMBERS, check_operator
from package_hunter.rules.output import parse_output
from package_hunter.rules.parse import DOTTED, field_ref
from package_hunter.rules.patterns import ValueProblem

_POSITION = re.compile(r"\s*[+-]?[0-9]+", re.ASCII)
_WRITTEN = re.compile(r"((?:tolower|toupper|b64|basename|len)\()+[A-Za-z][^()]*\)+")
# fields whose numbers are of another width than others of their type here
_FALCO_KINDS = {
    **dict.fromkeys(
        ("evt.count", "evt.count.error", "evt.count.error.file", "evt.count.error.net"), "uint32"
    ),
    **dict.fromkeys(("evt.count.error.memory", "evt.count.error.other", "evt.count.exit"), "uint32"),
    **dict.fromkeys(("proc.tty", "user.uid", "group.gid"), "uint32"),
    **dict.fromkeys(("fd.dev", "fd.dev.major", "fd.dev.minor"), "int32"),
    **dict.fromkeys(("proc.fdusage", "thread.cpu", "thread.cpu.user", "thread.cpu.system"), "double"),
    "evt.cpu": "int16",
}
_INCOMPARABLE = (
    *("uid", "gid", "sockaddr", "socktuple", "sigset", "fdlist", "dyn", "charbufarray"),
    *("charbuf_pair_array", "bytebuf"),
)
MAX_VALUE_BYTES = 255  # of a text or pattern; Falco's buffer holds one more for its end


def check_comparison(check: Comparison) -> None:
    """FalcoRefuses where Falco does not take the comparison."""
    try:
        left = _spec(check.left)
        check_operator(check.op if check.op != "==" else "=", left)
        _check_raw(check.left, left, check.op)
        if check.right is not None:
            _check_alike(left, _spec(check.right))
            return
        for value in check.values:
            _check_value(check.op, left, value)
    except (ResolveError, ValueProblem, FalcoRefuses) as error:
        said = getattr(error, "message", str(error))
        raise FalcoRefuses(f"{check.left} {check.op}: {said}".rstrip("."), check.at) from None


def check_output(template: str) -> None:
    """FalcoRefuses where Falco does not take a rule's output that we take."""
    for part in parse_output(template):
        if isinstance(part, str):
            continue
        operand = part.operand
        if isinstance(operand, Transformation):
            if not _WRITTEN.fullmatch(part.key):
                raise FalcoRefuses(f"the output: Falco 0.43 cannot read {part.key!r}")
        elif "[" in part.key and operand.name == "evt.arg" and not _POSITION.fullmatch(operand.arg or ""):
            raise FalcoRefuses(f"the output: evt.arg[…] takes a number; write %evt.arg.{operand.arg}")
        elif "[" in part.key and operand.name in DOTTED[1:]:
            raise FalcoRefuses(f"the output: {operand.name} takes its argument behind a dot")


def _spec(operand: Operand) -> FieldSpec:
    ref = field_ref(operand.name, operand.arg)
    _check_argument(operand, ref)
    ours: OurOperand = ref
    for transformer in operand.transformers:
        ours = Transformation(transformer, (ours,))
    return replace(operand_spec(ours), name=str(operand))


def _check_argument(operand: Operand, ref: FieldRef) -> None:
    if operand.name == "evt.arg" and not _POSITION.fullmatch(operand.arg or ""):
        raise FalcoRefuses(f"evt.arg[…] takes a number; write evt.arg.{operand.arg or 'NAME'}")
    if operand.arg is not None and operand.name in DOTTED[1:]:
        raise FalcoRefuses(f"{operand.name} takes its argument behind a dot, as in {operand.name}.NAME")


def _check_alike(left: FieldSpec, right: FieldSpec) -> None:
    """Falco compares a field with a field of the very same type only."""
    ours, other = (
        _FALCO_KINDS.get(spec.name, spec.type.value).replace("path", "string") for spec in (left, right)
    )
    if ours != other or left.is_list != right.is_list:
        raise FalcoRefuses(f"Falco compares a field of type {ours} with none of type {other} ({right.name})")


def _check_raw(operand: Operand, spec: FieldSpec, op: str) -> None:
    if field_ref(operand.name, operand.arg).name != "evt.rawarg" or op == "exists" or operand.transformers:
        return
    kind = _raw_kind(operand.name.removeprefix("evt.rawarg."))
    if kind in _INCOMPARABLE:
        raise FalcoRefuses(f"Falco compares no argument of type {kind}")


@cache
def _raw_kind(name: str) -> str:
    """The type of the first event argument of that name, as Falco's table has it."""
    params = (param for info in event_table().values() for param in info.params)
    return next((param.type for param in params if param.name == name), "")


def _check_value(op: str, spec: FieldSpec, value: str) -> None:
    if op in ("bcontains", "bstartswith"):
        if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", value):
            raise FalcoRefuses(f"{value[:40]!r} is no even number of hex digits")
        _check_length(len(value) // 2)
    elif spec.type in NUMBERS:
        _check_number(spec, value)
    elif spec.type is FieldType.BOOL and value not in ("true", "false"):
        raise FalcoRefuses(f"{value[:40]!r} is neither true nor false")
    elif spec.type is FieldType.IP:
        _check_address(value)
    elif spec.type is FieldType.NET:
        _check_network(value)
    else:
        _check_length(len(value.encode("utf-8", "surrogatepass")))


def _check_length(size: int) -> None:
    if size > MAX_VALUE_BYTES:
        raise FalcoRefuses(f"a value is {size} bytes long; Falco takes {MAX_VALUE_BYTES}")


def _check_number(spec: FieldSpec, value: str) -> None:
    if spec.type is FieldType.PORT:
        if not re.fullmatch(r"[0-9]{0,9}", value) and not _is_service(value):
            raise FalcoRefuses(f"{value!r} is neither a port nor the name of a service")
    elif not re.fullmatch(r"\s*[+-]?[0-9]+", value):
        raise FalcoRefuses(f"{value!r} is no whole number")


def _is_service(name: str) -> bool:
    try:
        socket.getservbyname(name)
    except (OSError, ValueError):
        return False
    return True


def _check_address(value: str) -> None:
    family = socket.AF_INET if "." in value else socket.AF_INET6
    try:
        socket.inet_pton(family, value)
    except (OSError, ValueError):
        hint = "; Falco takes no IPv6 address with a dot in it" if ":" in value and "." in value else ""
        raise FalcoRefuses(f"{value!r} is no IP address{hint}") from None


def _check_network(value: str) -> None:
    address, slash, bits = value.partition("/")
    if not slash or not re.fullmatch(r"\s*\+?[0-9]+", bits):
        raise FalcoRefuses(f"{value!r} is no network such as 10.0.0.0/8")
    _check_address(address)
    low, high = (0, 32) if "." in value else (1, 128)
    if not low <= int(bits[-6:]) <= high:
        raise FalcoRefuses(f"{value!r} has a mask that is out of range ({low} to {high})")
