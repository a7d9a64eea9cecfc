"""Conditions as a shared graph for the compiler: equal parts are one node, `evt.type` is known, neighbours
that test the same field against constants are one test.

A node is an int; ``Graph`` holds what it is. `TRUE` and `FALSE` are the constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.event import event_table
from package_hunter.rules.ast import All, AnyOf, Check, Constant, FieldRef, MacroRef, Node, Not
from package_hunter.rules.evttypes import GENERIC
from package_hunter.rules.operands import field_spec

FALSE, TRUE = 0, 1
SETS = ("=", "in")


@dataclass
class Graph:
    """Nodes of one event type: ``kinds[n]`` is ``and``, ``or``, ``not`` or ``test``; a test has a Check.

    ``constants`` are fields that have one value on every event, ``absent`` tells of those that events of the type
    never have: what they decide is left out.
    """

    constants: Mapping[str, Any] = field(default_factory=dict)
    absent: Callable[[FieldRef], bool] = lambda ref: False

    kinds: list[str] = field(default_factory=lambda: ["false", "true"])
    parts: list[tuple[int, ...]] = field(default_factory=lambda: [(), ()])
    checks: dict[int, Check] = field(default_factory=dict)
    _known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def test(self, check: Check) -> int:
        """The node of a test."""
        key = (check.left, check.op, check.values, check.right, check.modifier)
        node = self._intern("test", (), key)
        self.checks.setdefault(node, check)
        return node

    def negate(self, node: int) -> int:
        """``not node``."""
        if node in (TRUE, FALSE):
            return 1 - node
        if self.kinds[node] == "not":
            return self.parts[node][0]
        return self._intern("not", (node,), ("not", node))

    def join(self, kind: str, nodes: Iterable[int]) -> int:
        """``and`` or ``or`` of nodes, flat, each once."""
        neutral, final = (TRUE, FALSE) if kind == "and" else (FALSE, TRUE)
        kept: dict[int, None] = {}
        for node in nodes:
            for part in self.parts[node] if self.kinds[node] == kind else (node,):
                if part == final:
                    return final
                if part != neutral:
                    kept[part] = None
        merged = _merge(self, kind, list(kept))
        if not merged:
            return neutral
        if len(merged) == 1:
            return merged[0]
        return self._intern(kind, tuple(merged), (kind, *sorted(merged)))

    def either(self, nodes: Iterable[int]) -> int:
        """``or`` of nodes as they stand: nothing is joined or merged."""
        parts = tuple(dict.fromkeys(nodes))
        return self._intern("or", parts, ("either", *sorted(parts)))

    def _intern(self, kind: str, parts: tuple[int, ...], key: tuple[object, ...]) -> int:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self.kinds)
            self.kinds.append(kind)
            self.parts.append(parts)
        return known


def _merge(graph: Graph, kind: str, nodes: list[int]) -> list[int]:
    """``a = x or a in (y, z)`` becomes ``a in (x, y, z)``; under ``and`` the same for the negated tests."""
    groups: dict[tuple[object, str], list[int]] = {}
    for node in nodes:
        inner = graph.parts[node][0] if kind == "and" and graph.kinds[node] == "not" else node
        if graph.kinds[inner] != "test" or (kind == "and" and inner == node):
            continue
        check = graph.checks[inner]
        if check.right is None and not check.modifier and _plain(check) and (family := _family(check.op)):
            groups.setdefault((check.left, family), []).append(node)
    for (_, family), members in groups.items():
        if len(members) < 2:
            continue
        checks = [graph.checks[graph.parts[n][0] if kind == "and" else n] for n in members]
        values = tuple(dict.fromkeys(v for c in checks for v in c.values))
        tests = tuple(c.test for c in checks if c.test is not None)
        joined = graph.test(Check(checks[0].left, family, values, test=_any_of(tests)))
        at = nodes.index(members[0])
        nodes[at] = graph.negate(joined) if kind == "and" else joined
        nodes = [n for n in nodes if n not in members[1:]]
    return list(dict.fromkeys(nodes))


def _plain(check: Check) -> bool:
    """Single values only: over lists and two-sided fields the operators mean more than membership."""
    return isinstance(check.left, FieldRef) and not is_many(check.left)


def is_many(ref: FieldRef) -> bool:
    """Whether the field's value is a tuple: a list, both ends of a connection, all ancestors."""
    spec = field_spec(ref)
    ancestors = ref.arg is None and spec.arg in ("index?", "key?") and ref.name.startswith("proc.a")
    return spec.sided or (spec.is_list and ref.arg is None) or (ancestors and ref.name != "proc.args")


def _family(op: str) -> str:
    return "in" if op in SETS else op if op in ("startswith", "endswith", "pmatch") else ""


def _any_of(tests: tuple[Callable[[object], bool], ...]) -> Callable[[object], bool]:
    return lambda value: any(t(value) for t in tests)


def specialise(graph: Graph, node: Node, number: int, memo: dict[int, int]) -> int:
    """The node that a condition comes to on events of one type."""
    known = memo.get(id(node))
    if known is None:
        known = memo[id(node)] = _specialise(graph, node, number, memo)
    return known


def _specialise(graph: Graph, node: Node, number: int, memo: dict[int, int]) -> int:
    if isinstance(node, All):
        return graph.join("and", _until(FALSE, (specialise(graph, p, number, memo) for p in node.parts)))
    if isinstance(node, AnyOf):
        return graph.join("or", _until(TRUE, (specialise(graph, p, number, memo) for p in node.parts)))
    if isinstance(node, Not):
        return graph.negate(specialise(graph, node.part, number, memo))
    if isinstance(node, MacroRef):
        assert node.body is not None, f"macro {node.name} was not resolved"
        return specialise(graph, node.body, number, memo)
    if isinstance(node, Constant):
        return TRUE if node.value else FALSE
    assert isinstance(node, Check)
    fixed = _fixed(node, number)
    if fixed is None and str(node.left) in graph.constants and node.test is not None and node.right is None:
        fixed = node.test(graph.constants[str(node.left)])
    if fixed is None and isinstance(node.left, FieldRef) and node.right is None and node.test is not None:
        fixed = node.test(None) if graph.absent(node.left) else None
    return graph.test(node) if fixed is None else TRUE if fixed else FALSE


def _until(final: int, nodes: Iterator[int]) -> Iterator[int]:
    for node in nodes:
        yield node
        if node == final:
            return


def _fixed(check: Check, number: int) -> bool | None:
    """What a test comes to where the event type alone decides it, or nothing can."""
    if check.op == "in" and not check.values and not check.modifier and check.right is None:
        return False
    if not isinstance(check.left, FieldRef) or check.right is not None or check.test is None:
        return None
    if check.left.name == "evt.num" and check.op == "=" and check.values[0].text == "0":
        return False  # events are counted from 1: the stock files' way to say "never"
    info = event_table()[number]
    if check.left.name == "evt.dir":
        return check.test("<" if number % 2 else ">")
    if check.left.name == "evt.type" and number not in GENERIC:
        return check.test(info.name)
    if check.left.name == "syscall.type" and number not in GENERIC:
        return check.test(info.name if "syscall" in info.categories else None)
    return None


def _checks(conditions: Iterable[Node]) -> Iterator[Check]:
    """Every test in them, those of shared parts once."""
    seen: set[int] = set()
    todo = list(conditions)
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        todo.extend(node.children())
        if isinstance(node, Check):
            yield node


def type_checks(conditions: Iterable[Node]) -> list[Check]:
    """Every different test that the event type alone may decide."""
    found: dict[object, Check] = {}
    for check in _checks(conditions):
        if isinstance(check.left, FieldRef) and check.left.name in _OF_TYPE:
            found.setdefault((check.left, check.op, check.values, check.modifier), check)
    return list(found.values())


_OF_TYPE = ("evt.type", "syscall.type", "evt.dir")


def arguments(conditions: Iterable[Node]) -> list[FieldRef]:
    """Every different argument of calls (``evt.arg.flags``) that conditions ask for: of which an event type has
    some and lacks others."""
    found: dict[FieldRef, None] = {}
    for check in _checks(conditions):
        if isinstance(check.left, FieldRef) and check.left.name in _ARGUMENTS:
            found[check.left] = None
    return list(found)


_ARGUMENTS = ("evt.arg", "evt.rawarg")


def signature(checks: Iterable[Check], number: int) -> tuple[object, ...]:
    """Event types of one signature need no more than one compiled form."""
    return tuple(_fixed(c, number) for c in checks)
