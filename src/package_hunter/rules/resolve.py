"""Conditions made whole: macros and lists put in, fields checked, values typed, event types worked out."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from package_hunter.model.fields import FieldSpec, FieldType
from package_hunter.rules.ast import (
    All,
    AnyOf,
    Check,
    FieldRef,
    Literal,
    MacroRef,
    Node,
    Not,
    Operand,
    Transformation,
)
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.operands import ResolveError, field_spec, fields_of, operand_spec
from package_hunter.rules.operators import check_operator, make_tests
from package_hunter.rules.patterns import ValueProblem
from package_hunter.rules.syscalls import GENERIC_SYSCALLS

ADDRESS_OF = {f"fd.{side}ip.name": f"fd.{side}ip" for side in "cslr"}
MAX_NODES = 50_000
MAX_DEPTH = 150


@cache
def known_hosts() -> dict[str, tuple[str, ...]]:
    """Names of /etc/hosts with their addresses."""
    found: dict[str, tuple[str, ...]] = {}
    try:
        lines = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for words in (line.partition("#")[0].split() for line in lines):
        for name in words[1:]:
            with suppress(ValueError):
                found[name] = (*found.get(name, ()), str(ipaddress.ip_address(words[0])))
    return found


class Resolver:
    """Puts macros and lists into conditions. ``used`` collects the names that were."""

    def __init__(
        self,
        macros: Mapping[str, Node],
        lists: Mapping[str, tuple[Literal, ...]],
        sizes: Mapping[str, tuple[int, int]],
    ) -> None:
        self.macros, self.lists, self.sizes = macros, lists, sizes
        self.used: set[str] = set()
        self.notes: dict[tuple[str, str], str] = {}
        self.nodes = self.depth = 0  # of the resolved condition, macros' bodies counted in

    def resolve(self, node: Node, depth: int = 1) -> Node:
        """The condition with nothing left open. ResolveError says what is wrong."""
        self._grow(1, depth)
        if isinstance(node, All):
            return All(tuple(self.resolve(p, depth + 1) for p in node.parts))
        if isinstance(node, AnyOf):
            return AnyOf(tuple(self.resolve(p, depth + 1) for p in node.parts))
        if isinstance(node, Not):
            return Not(self.resolve(node.part, depth + 1))
        if isinstance(node, MacroRef):
            return self._macro(node, depth)
        assert isinstance(node, Check)
        if isinstance(node.left, FieldRef) and node.left.name in ADDRESS_OF and node.right is None:
            return self._by_name(node)
        return self._check(node)

    def _by_name(self, check: Check) -> Node:
        """``fd.sip.name = x`` is a comparison with the addresses that the name has when the rule is loaded.

        Only the machine's own table of hosts is asked: a rule file must not make it send anything.
        """
        assert isinstance(check.left, FieldRef)
        address = FieldRef(ADDRESS_OF[check.left.name])
        if check.op == "exists":
            return self._check(replace(check, left=address))
        if check.op not in ("=", "!=", "in") or check.modifier:
            raise ResolveError("value", f"{check.left} cannot be compared with {check.op}.", str(check.left))
        names = [v.text for v in self._values(check)]
        unknown = [n for n in names if n not in known_hosts()]
        if unknown:
            what = f"names hosts that /etc/hosts does not have ({unknown[0]}, ...); they match nothing."
            self._note("unknown_host", check, what)
        found = tuple(Literal(a, True) for n in names for a in known_hosts().get(n, ()))
        inside = self._check(Check(address, "in", found, column=check.column))
        if check.op != "!=":
            return inside
        return All((self._check(Check(address, "exists")), Not(inside)))

    def _grow(self, nodes: int, depth: int) -> None:
        self.nodes += nodes
        self.depth = max(self.depth, depth)
        if self.nodes > MAX_NODES:
            message = f"The condition, with its macros, has more than {MAX_NODES} parts."
            raise ResolveError("too_large", message, advice="Split it into several rules.")
        if self.depth > MAX_DEPTH:
            message = f"The condition, with its macros, is nested deeper than {MAX_DEPTH} levels."
            raise ResolveError("too_large", message, advice="Split it into several rules.")

    def _macro(self, node: MacroRef, depth: int) -> Node:
        body = self.macros.get(node.name)
        if body is None:
            raise ResolveError(
                "unknown_macro", f"There is no macro {node.name!r} (defined before).", node.name
            )
        nodes, deep = self.sizes[node.name]
        self._grow(nodes, depth + deep)
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

    def _differences(self, check: Check, values: tuple[Literal, ...]) -> None:
        """Note where Falco itself would do something that nobody means (docs/falco-differences.md)."""
        if not isinstance(check.left, FieldRef):
            return
        name, op = check.left.name, check.op
        if field_spec(check.left).deprecated:
            self._note("deprecated_field", check, "is deprecated in Falco.")
        if name == "proc.env" and check.left.arg and op == "exists":
            self._note(
                "falco_differs", check, "is always true in Falco; here it means that the variable is set."
            )
        if name == "proc.aargs" and check.left.arg is None:
            self._note("falco_differs", check, "never matches in Falco; here any ancestor's arguments count.")
        if name == "proc.aenv" and (check.left.arg or "").isdigit():
            self._note("falco_differs", check, "means any ancestor in Falco; here the one that it names.")
        if op == "exists" and name in ("fd.ip", "fd.port", "fd.net", "fd.proto"):
            self._note(
                "falco_differs", check, "is true for any descriptor in Falco; here it needs a connection."
            )
        if op == "in" and name == "fd.ip":
            self._note("falco_differs", check, "never matches in Falco; here it means either end.")
        if op == "in" and name == "fd.net" and len(values) > 1:
            self._note("falco_differs", check, "uses the first network only in Falco; here all of them.")
        if name == "evt.type" and any(v.text in GENERIC_SYSCALLS for v in values):
            what = "names calls of one shared event type: Falco excludes all with one, here only those named."
            self._note("falco_differs", check, what)

    def _note(self, code: str, check: Check, what: str) -> None:
        text = f"{check.left} {check.op}"
        self.notes[code, text] = f"`{text}` {what}"

    def _check(self, check: Check) -> Check:
        check = replace(check, left=_of_all(check.left))
        try:
            spec = operand_spec(check.left)
            _no_type_tricks(check)
            if check.right is not None:
                _check_right(check, spec)
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
            self._differences(check, values)
            if isinstance(check.left, FieldRef) and check.left.name == "proc.env" and check.op == "exists":
                return replace(check, test=_is_set)
            tests = make_tests(spec, check.op, texts, check.modifier)
            return replace(check, values=values, test=tests.any_value, test_one=tests.one_value)
        except ValueProblem as problem:
            raise ResolveError("value", str(problem), str(check.left), check.column) from None
        except ResolveError as error:
            error.column = error.column or check.column
            raise


def _of_all(left: Operand) -> Operand:
    """``proc.aname[-1]`` compares every ancestor in Falco, as ``proc.aname`` does."""
    if isinstance(left, FieldRef) and left.arg == "-1" and left.name in _OF_ALL:
        return FieldRef(left.name)
    return left


_OF_ALL = ("proc.aname", "proc.apid", "proc.aexe", "proc.aexepath", "proc.acmdline", "fd.types")


def _is_set(value: Any) -> bool:
    return value not in (None, "")


def _no_type_tricks(check: Check) -> None:
    """The event type decides on which events a rule is tried, so it is compared with plain names only."""
    for ref in fields_of(check.left):
        if ref.name in ("evt.type", "syscall.type") and (
            check.right is not None or isinstance(check.left, Transformation)
        ):
            raise ResolveError("event_type", f"{ref.name} can only be compared with names.", str(check.left))


_ALIKE = {FieldType.PATH: FieldType.STRING, FieldType.UINT: FieldType.INT}


def _check_right(check: Check, left: FieldSpec) -> None:
    assert check.right is not None
    right = operand_spec(check.right)
    for ref in fields_of(check.right):
        if field_spec(ref).no_rhs:
            raise ResolveError("val", f"{ref} cannot stand in val() or on the right side.", str(ref))
    for ref in fields_of(check.left):
        if field_spec(ref).no_rhs:
            raise ResolveError("val", f"{ref} takes no field on its right side.", str(ref))
    if left.type is FieldType.NET or left.sided or check.op in ("pmatch", "regex"):
        raise ResolveError(
            "val", f"{check.left} {check.op} takes no field on its right side.", str(check.right)
        )
    if _ALIKE.get(left.type, left.type) is not _ALIKE.get(right.type, right.type):
        message = f"{check.left} ({left.type.value}) and {check.right} ({right.type.value}) do not compare."
        raise ResolveError("val", message, str(check.right))
    check_operator(check.op, left)


def _known_event_types(left: Operand, texts: list[str]) -> None:
    if isinstance(left, FieldRef) and left.name == "evt.type":
        for text in texts:
            if text not in event_names() and text not in GENERIC_SYSCALLS:
                raise ResolveError("unknown_event_type", f"There is no event type {text!r}.", text)
