"""Conditions made whole: macros and lists put in, fields checked, values typed, event types worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from package_hunter.model.event import event_table
from package_hunter.model.fields import FieldSpec, FieldType, field_catalogue, raw_argument_type
from package_hunter.rules.ast import (
    All,
    AnyOf,
    Check,
    Constant,
    FieldRef,
    Literal,
    MacroRef,
    Node,
    Not,
    Operand,
    Transformed,
)
from package_hunter.rules.operators import ValueProblem, make_test

GENERIC = (0, 1)  # event numbers that all system calls without parameters of their own share
MAX_NODES = 200_000


class ResolveError(ValueError):
    """A condition that cannot work: ``code`` for programs, a sentence for people."""

    def __init__(self, code: str, message: str, text: str = "", column: int = 0, advice: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.text, self.column, self.advice = code, message, text, column, advice


def field_spec(ref: FieldRef) -> FieldSpec:
    """What the catalogue says of a field. ResolveError where there is none or its argument is wrong."""
    spec = field_catalogue().get(ref.name)
    if spec is None:
        raise ResolveError("unknown_field", f"There is no field {ref}.", str(ref))
    if spec.arg == "none" and ref.arg is not None:
        raise ResolveError("field_argument", f"{ref.name} takes no argument.", str(ref))
    if spec.arg in ("key", "index") and ref.arg is None:
        raise ResolveError("field_argument", f"{ref.name} needs an argument, as in {ref.name}[…].", str(ref))
    if spec.arg.startswith("index") and ref.arg is not None and not ref.arg.lstrip("-").isdigit():
        raise ResolveError("field_argument", f"{ref.name}[…] takes a number, not {ref.arg!r}.", str(ref))
    if ref.name == "evt.rawarg" and ref.arg is not None:
        kind = raw_argument_type(ref.arg)
        if kind is None and not ref.arg.isdigit():
            raise ResolveError("unknown_field", f"No event has an argument {ref.arg!r}.", str(ref))
        spec = replace(spec, type=kind or FieldType.STRING)
    return spec


def operand_spec(operand: Operand) -> FieldSpec:
    """The type of a field or transformer."""
    if isinstance(operand, FieldRef):
        return field_spec(operand)
    for argument in operand.arguments:
        for item in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(item, FieldRef) and field_spec(item).no_transformer:
                raise ResolveError("transformer", f"{item} takes no transformer.", str(operand))
            if isinstance(item, FieldRef | Transformed):
                operand_spec(item)
    kind = FieldType.UINT if operand.function == "len" else FieldType.STRING
    return FieldSpec(str(operand), kind, "", is_list=operand.function == "getopt")


def fields_of(operand: Any) -> list[FieldRef]:
    """Every field that an operand reads."""
    if isinstance(operand, FieldRef):
        return [operand]
    if isinstance(operand, Transformed):
        return [f for a in operand.arguments for f in fields_of(a)]
    if isinstance(operand, tuple):
        return [f for a in operand for f in fields_of(a)]
    return []


class Resolver:
    """Puts macros and lists into conditions. ``used`` collects the names that were."""

    def __init__(self, macros: Mapping[str, Node], lists: Mapping[str, tuple[Literal, ...]]) -> None:
        self.macros, self.lists = macros, lists
        self.used: set[str] = set()
        self._nodes = 0

    def resolve(self, node: Node) -> Node:
        """The condition with nothing left open. ResolveError says what is wrong."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ResolveError("too_large", f"The condition has more than {MAX_NODES} parts.")
        if isinstance(node, All):
            return All(tuple(self.resolve(p) for p in node.parts))
        if isinstance(node, AnyOf):
            return AnyOf(tuple(self.resolve(p) for p in node.parts))
        if isinstance(node, Not):
            return Not(self.resolve(node.part))
        if isinstance(node, MacroRef):
            return self._macro(node)
        assert isinstance(node, Check)
        return self._check(node)

    def _macro(self, node: MacroRef) -> Node:
        body = self.macros.get(node.name)
        if body is None:
            raise ResolveError(
                "unknown_macro", f"There is no macro {node.name!r} (defined before).", node.name
            )
        self.used.add(node.name)
        return MacroRef(node.name, body)

    def _values(self, check: Check) -> tuple[Literal, ...]:
        out: list[Literal] = []
        for value in check.values:
            if not value.quoted and value.text in self.lists:
                self.used.add(value.text)
                out += self.lists[value.text]
            else:
                out.append(value)
        return tuple(out)

    def _check(self, check: Check) -> Check:
        try:
            spec = operand_spec(check.left)
            if check.right is not None:
                right = operand_spec(check.right)
                if isinstance(check.right, FieldRef) and right.no_rhs:
                    raise ResolveError("val", f"{check.right} cannot stand in val().", str(check.right))
                return check
            values = self._values(check)
            texts = [v.text for v in values]
            if (
                check.op not in ("exists", "in", "intersects", "pmatch")
                and not check.modifier
                and len(texts) != 1
            ):
                raise ResolveError("value", f"{check.left} {check.op} takes one value, not {len(texts)}.")
            _known_event_types(check.left, texts)
            return replace(check, values=values, test=make_test(spec, check.op, texts, check.modifier))
        except ValueProblem as problem:
            raise ResolveError("value", str(problem), str(check.left), check.column) from None
        except ResolveError as error:
            error.column = error.column or check.column
            raise


def _known_event_types(left: Operand, texts: list[str]) -> None:
    if isinstance(left, FieldRef) and left.name == "evt.type":
        for text in texts:
            if text not in event_names() and text not in _generic_names():
                raise ResolveError("unknown_event_type", f"There is no event type {text!r}.", text)


_NAMES: dict[str, frozenset[int]] = {}


def event_names() -> dict[str, frozenset[int]]:
    """Event name (``openat``) -> the numbers of all its event types."""
    if not _NAMES:
        found: dict[str, set[int]] = {}
        for number, info in event_table().items():
            found.setdefault(info.name, set()).add(number)
        _NAMES.update({name: frozenset(numbers) for name, numbers in found.items()})
    return _NAMES


def _generic_names() -> frozenset[str]:
    from package_hunter.rules.syscalls import GENERIC_SYSCALLS

    return GENERIC_SYSCALLS


def all_types() -> frozenset[int]:
    """Every event number."""
    return frozenset(event_table())


def event_types(
    node: Node, memo: dict[int, tuple[frozenset[int], frozenset[int]]] | None = None
) -> frozenset[int]:
    """The event numbers on which a resolved condition can be true."""
    return _types(node, {} if memo is None else memo)[0]


def _types(
    node: Node, memo: dict[int, tuple[frozenset[int], frozenset[int]]]
) -> tuple[frozenset[int], frozenset[int]]:
    """(types on which it may be true, types on which it may be false)."""
    known = memo.get(id(node))
    if known is not None:
        return known
    everything = all_types()
    result = (everything, everything)
    if isinstance(node, All):
        parts = [_types(p, memo) for p in node.parts]
        result = frozenset.intersection(*(p[0] for p in parts)), frozenset.union(*(p[1] for p in parts))
    elif isinstance(node, AnyOf):
        parts = [_types(p, memo) for p in node.parts]
        result = frozenset.union(*(p[0] for p in parts)), frozenset.intersection(*(p[1] for p in parts))
    elif isinstance(node, Not):
        true, false = _types(node.part, memo)
        result = false, true
    elif isinstance(node, MacroRef) and node.body is not None:
        result = _types(node.body, memo)
    elif isinstance(node, Constant):
        result = (everything, frozenset()) if node.value else (frozenset(), everything)
    elif isinstance(node, Check) and isinstance(node.left, FieldRef) and node.left.name == "evt.type":
        result = _check_types(node, everything)
    memo[id(node)] = result
    return result


def _check_types(node: Check, everything: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    if node.op not in ("=", "!=", "in") or node.right is not None or node.modifier:
        return everything, everything
    generic = frozenset(GENERIC)
    named: set[int] = set()
    surely: set[int] = set()
    for value in node.values:
        numbers = event_names().get(value.text, generic)
        named |= numbers
        surely |= numbers - generic  # a generic event has one of many names: it may be this one or another
    yes, no = frozenset(named), everything - frozenset(surely)
    return (no, yes) if node.op == "!=" else (yes, no)
