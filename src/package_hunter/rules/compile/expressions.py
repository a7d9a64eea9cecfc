"""Conditions as Python expressions: values in variables, tests inlined, texts sieved.

Each expression comes with the variables that are known after it: after it at all, after it held, after it did
not. Values are kept in local variables: ``_`` marks one that is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from package_hunter.model.fields import FieldType, Inline
from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.compile.graph import FALSE, TRUE, Graph, is_many
from package_hunter.rules.compile.sieve import PERHAPS, Sieves, fits
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import NUMBERS, TEXTS, literal
from package_hunter.rules.patterns import path_test, required_literal

MAX_NESTING = 60
Known = frozenset[str]
NOTHING: Known = frozenset()


class Code(NamedTuple):
    """A Python expression, and the variables that hold a value after it: in any case, where it was true, where
    it was false."""

    text: str
    always: Known = NOTHING
    if_true: Known = NOTHING
    if_false: Known = NOTHING


def _either_way(text: str, known: Known) -> Code:
    return Code(text, known, known, known)


@dataclass(frozen=True, slots=True)
class Values:
    """Where the compiled code gets values from. ``getter`` gives a function of an event for an operand,
    ``inline`` an operand's value as Python text where it has one."""

    getter: Callable[[Operand], Any]
    inline: Callable[[Operand], Inline | None] = lambda operand: None
    sieves: Sieves = field(default_factory=Sieves)


@dataclass
class Expressions:
    """The expressions of one function, with the constants and variables that they use.

    ``deep`` makes a function of a node that is nested too deeply for Python's own parser. ``shared`` are nodes
    that stand in more than one place, ``sieved`` operands whose sieve is asked.
    """

    graph: Graph
    values: Values
    deep: Callable[[int], Callable[[Any], int]]
    names: dict[str, Any] = field(default_factory=dict)
    lazy: set[str] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    sieved: set[Operand] = field(default_factory=set)
    _variables: dict[Operand, str] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    _costs: dict[int, float] = field(default_factory=dict)
    _chances: dict[int, float] = field(default_factory=dict)
    _masks: dict[int, tuple[Operand, int] | None] = field(default_factory=dict)

    # ---- expressions

    def expression(self, node: int, known: Known, depth: int = 0) -> Code:
        if node in self.shared:
            name = f"x{node}"
            if name in known:
                return Code(name)
            code = self._plain(node, known, depth).text
            self.lazy.add(name)
            text = f"({name} if {name} is not _ else ({name} := ({code})))"
            return _either_way(text, frozenset({name}))
        return self._plain(node, known, depth)

    def _plain(self, node: int, known: Known, depth: int) -> Code:
        kind, parts = self.graph.kinds[node], self.graph.parts[node]
        if depth > MAX_NESTING:
            return self._call(node)
        masked = self.mask(node)
        if masked is not None:
            return self.sieve(*masked, known)
        if kind == "not":
            code, always, if_true, if_false = self.expression(parts[0], known, depth + 1)
            return Code(f"not {code}", always, if_false, if_true)
        if kind == "and":
            return self.conjunction(sorted(parts, key=self.rank), known, depth)
        if kind == "or":
            return self._or(sorted(parts, key=self._rank_or), known, depth)
        if node in (TRUE, FALSE):
            return Code(str(node == TRUE))
        return self._test(self.graph.checks[node], known)

    def conjunction(self, nodes: list[int], known: Known, depth: int = 0) -> Code:
        codes, first, gained = [], NOTHING, known
        for at, node in enumerate(self._fuse(nodes, "not")):
            code, always, if_true, _ = self.expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_true
            first = always if at == 0 else first
        return Code("(" + " and ".join(codes) + ")", first, gained - known, first)

    def _or(self, nodes: list[int], known: Known, depth: int = 0) -> Code:
        codes, first, gained = [], NOTHING, known
        for at, node in enumerate(self._fuse(nodes, "or")):
            code, always, _, if_false = self.expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_false
            first = always if at == 0 else first
        return Code("(" + " or ".join(codes) + ")", first, first, gained - known)

    def _call(self, node: int) -> Code:
        name = f"d{node}"
        self.names[name] = self.deep(node)
        return Code(f"{name}(ev)")

    # ---- questions that a sieve answers

    def mask(self, node: int) -> tuple[Operand, int] | None:
        """The field and bits whose sieve says alone whether a node holds."""
        if node not in self._masks:
            self._masks[node] = self._find_mask(node)
        return self._masks[node]

    def _find_mask(self, node: int) -> tuple[Operand, int] | None:
        check = self.graph.checks.get(node)
        if check is not None:
            if check.left not in self.sieved or check.op in PERHAPS or not fits(check):
                return None
            bit = self.values.sieves[check.left].bit(check)
            return None if bit is None else (check.left, bit)
        if self.graph.kinds[node] != "or":
            return None
        parts = [self.mask(part) for part in self.graph.parts[node]]
        if any(p is None or p[0] != (parts[0] or p)[0] for p in parts):
            return None
        found = [p for p in parts if p is not None]
        return found[0][0], reduce(or_, (bits for _, bits in found))

    def _fuse(self, nodes: list[int], kind: str) -> list[int]:
        """Neighbours under ``or`` (or negated ones under ``and``) that one sieve answers become one node."""
        groups: dict[Operand, list[int]] = {}
        for node in nodes:
            if (kind == "not") == (self.graph.kinds[node] == "not"):
                masked = self.mask(self.graph.parts[node][0] if kind == "not" else node)
                if masked is not None:
                    groups.setdefault(masked[0], []).append(node)
        for members in groups.values():
            if len(members) > 1:
                inner = [self.graph.parts[n][0] if kind == "not" else n for n in members]
                joined = self.graph.either(inner)
                nodes = [joined if n == members[0] else n for n in nodes if n not in members[1:]]
                if kind == "not":
                    nodes = [self.graph.negate(n) if n == joined else n for n in nodes]
        return nodes

    def sieve(self, operand: Operand, bits: int, known: Known) -> Code:
        value = self._variables.setdefault(operand, f"v{len(self._variables)}")
        table = f"s{value}"
        self.names[table] = self.values.sieves[operand]

        def look_up(known: Known) -> tuple[str, Known]:
            code, _, gained = self.value(operand, known)
            return f"{table}[{code}]", gained

        code, gained = self._variable(f"p{value}", known, look_up)
        return _either_way(f"({code} & {bits:#x})", gained)

    # ---- values

    def _variable(
        self, name: str, known: Known, make: Callable[[Known], tuple[str, Known]]
    ) -> tuple[str, Known]:
        """An expression for a value that is kept in a variable, and the variables that are known after it."""
        if name in known:
            return name, NOTHING
        first = name not in self._met
        self._met.add(name)
        code, gained = make(known)
        if first:  # no way leads here on which it is known already
            return f"({name} := {code})", gained | {name}
        self.lazy.add(name)
        return f"({name} if {name} is not _ else ({name} := {code}))", frozenset({name})

    def value(self, operand: Operand, known: Known) -> tuple[str, str, Known]:
        """An expression for an operand, a name for it from then on, and the variables known after it."""
        name = self._variables.setdefault(operand, f"v{len(self._variables)}")
        inline = self.values.inline(operand)

        def make(known: Known) -> tuple[str, Known]:
            if inline is not None:
                return self._expand(inline, known)
            self.names.setdefault(f"g{name}", self.values.getter(operand))
            return f"g{name}(ev)", NOTHING

        if inline is not None and not inline.keep:
            code, gained = make(known)
            again, _ = make(known | gained)
            return code, again, gained
        code, gained = self._variable(name, known, make)
        return code, name, gained

    def _expand(self, inline: Inline, known: Known) -> tuple[str, Known]:
        """The code of an inline value, with the values that it needs put in."""
        self.names.update(inline.names)
        parts: dict[str, str] = {}
        gained = NOTHING
        for letter, need in zip("abc", inline.needs, strict=False):
            parts[letter], parts[letter.upper()], more = self.value(FieldRef(*need), known | gained)
            gained |= more
        return inline.code.format(**parts), gained

    def _test(self, check: Check, known: Known) -> Code:
        if check.left in self.sieved and check.op in PERHAPS and fits(check):
            return self._perhaps(check, known)
        value, name, own = self.value(check.left, known)
        if check.right is not None:
            right, _, more = self.value(check.right, known | own)
            function = self._constant(check.evaluate_both)
            both = own | more
            return _either_way(f"{function}({value}, {right})", both)
        code = self._inline(check, value, name)
        if code is None:
            one = _of_one(check)
            called = self._constant(one or check.test)
            code = f"({value} is not None and {called}({name}))" if one else f"{called}({value})"
        return _either_way(code, own)

    def _perhaps(self, check: Check, known: Known) -> Code:
        """Tried only where the sieve found the text that every match holds."""
        bit = self.values.sieves[check.left].bit(check)
        if bit is None:
            value, _, own = self.value(check.left, known)
            return _either_way(f"{self._constant(check.test)}({value})", own)
        held, always, _, _ = self.sieve(check.left, bit, known)
        value, _, more = self.value(check.left, known | always)
        test = self._constant(_of_one(check) or check.test)
        return Code(f"({held} and {test}({value}))", always, always | more, always)

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def _inline(self, check: Check, value: str, name: str) -> str | None:
        """The test as a Python expression; None where the predicate itself has to be called."""
        if check.modifier or (isinstance(check.left, FieldRef) and is_many(check.left)):
            return None
        spec = operand_spec(check.left)
        if spec.is_list or spec.type in (FieldType.NET, FieldType.BYTES):
            return None
        if check.op == "exists":
            return None if isinstance(check.left, FieldRef) and check.left.arg else f"({value} is not None)"
        if spec.type is FieldType.BOOL and check.op == "=" and check.values[0].text == "true":
            return f"({value})"
        if check.op in ("=", "in", "!="):
            return self._inline_equal(check, value, name, [literal(v.text, spec) for v in check.values])
        if check.op in ("<", "<=", ">", ">="):
            bound = literal(check.values[0].text, spec)
            return f"({value} is not None and {name} {check.op} {bound!r})"
        texts = [v.text for v in check.values]
        if check.op == "regex" and spec.type in TEXTS and (held := required_literal(texts[0])):
            return f"({value} is not None and {held!r} in {name} and {self._constant(check.test)}({name}))"
        if check.op == "pmatch":
            return f"({value} is not None and {self._constant(path_test(texts))}({name}))"
        if spec.type in TEXTS and all(texts):
            if check.op == "contains":
                return f"({value} is not None and {texts[0]!r} in {name})"
            if check.op in ("startswith", "endswith"):
                wanted = repr(tuple(texts)) if len(texts) > 1 else repr(texts[0])
                return f"({value} is not None and {name}.{check.op}({wanted}))"
        return None

    def _inline_equal(self, check: Check, value: str, name: str, values: list[Any]) -> str:
        if check.op == "!=":
            return f"({value} is not None and {name} != {values[0]!r})"
        if len(values) == 1:
            return f"({value} == {values[0]!r})"
        if len(values) <= 8:
            return f"({value} in {{{', '.join(map(repr, values))}}})" if values else f"({value} in ())"
        return f"({value} in {self._constant(frozenset(values))})"

    # ---- what to test first

    def cost(self, node: int) -> float:
        known = self._costs.get(node)
        if known is None:
            if self.mask(node) is not None:
                known = 0.6
            elif node in self.graph.checks:
                known = _check_cost(self.graph.checks[node])
            else:
                known = 0.2 + sum(map(self.cost, self.graph.parts[node]))
            self._costs[node] = known
        return known

    def _chance(self, node: int) -> float:
        """A guess at how often it holds."""
        known = self._chances.get(node)
        if known is None:
            known = self._chances[node] = self._guess(node)
        return known

    def _guess(self, node: int) -> float:
        kind = self.graph.kinds[node]
        if kind == "not":
            return 1 - self._chance(self.graph.parts[node][0])
        if kind == "and":
            return min(map(self._chance, self.graph.parts[node]))
        if kind == "or":
            return min(0.9, sum(map(self._chance, self.graph.parts[node])))
        check = self.graph.checks.get(node)
        return 0.5 if check is None else _check_chance(check)

    def rank(self, node: int) -> float:
        return self.cost(node) / (1.001 - self._chance(node))

    def _rank_or(self, node: int) -> float:
        return self.cost(node) / (0.001 + self._chance(node))


def _of_one(check: Check) -> Any:
    """The test of a value that is there and is one; None where there is none such, or values may be many."""
    plain = isinstance(check.left, FieldRef) and not is_many(check.left) and not check.modifier
    return check.test_one if plain and check.op != "exists" else None


def _check_cost(check: Check) -> float:
    if check.right is not None or check.modifier or not isinstance(check.left, FieldRef):
        return 4.0
    if is_many(check.left):
        return 6.0
    if check.op in ("=", "!=", "in", "<", ">", "<=", ">=", "exists"):
        return 1.0
    if check.op in ("contains", "startswith", "endswith"):
        return 2.0
    return 6.0 if check.op in ("glob", "iglob", "regex") else 4.0


def _check_chance(check: Check) -> float:
    if check.op in ("!=", "exists"):
        return 0.9
    spec = operand_spec(check.left)
    if spec.type is FieldType.BOOL:
        return 0.4
    if spec.type in NUMBERS and check.op in ("<", "<=", ">", ">="):
        return 0.8
    return min(0.5, 0.05 + 0.005 * len(check.values))
