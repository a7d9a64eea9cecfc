"""Python code for one event type: a tree of `if`s over all its rules.

What several rules demand is tested once, for all of them; tests of one field for equality become one
look-up; a field is extracted when first needed and kept; a part that several rules share is evaluated once an
event. Values are kept in local variables: ``_`` marks one that is not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.fields import FieldType
from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import NUMBERS, TEXTS, literal
from package_hunter.rules.patterns import path_test, required_literal
from package_hunter.rules.shape import FALSE, TRUE, Graph, is_many

MAX_INDENT = 40
MAX_NESTING = 60
MIN_LOOKUP = 3  # so many rules that ask one field for equality make a table worth it
Known = frozenset[str]


@dataclass
class Emitter:
    """Collects lines and the constants that they use."""

    graph: Graph
    getter: Callable[[Operand], Any]
    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    variables: dict[Operand, str] = field(default_factory=dict)
    lazy: set[str] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    source: str = ""
    met: set[str] = field(default_factory=set)
    _costs: dict[int, float] = field(default_factory=dict)

    def function(self, rules: list[tuple[int, int]]) -> Callable[[Any], int]:
        """``ev -> bits``: bit i is set where rule i's node holds. ``rules`` are (bit, node)."""
        self._find_shared(rules)
        self._block([(bit, self._conjuncts(node)) for bit, node in rules], 1, frozenset())
        head = ["def match(ev, _=_):", "    m = 0"]
        if self.lazy:
            head.append("    " + " = ".join(sorted(self.lazy)) + " = _")
        source = "\n".join([*head, *self.lines, "    return m"])
        self.source = source
        scope: dict[str, Any] = {**self.names, "_": object()}
        exec(compile(source, "<rules>", "exec"), scope)  # noqa: S102  the text is made here, values by repr
        match: Callable[[Any], int] = scope["match"]
        return match

    # ---- the tree of ifs

    def _conjuncts(self, node: int) -> frozenset[int]:
        return frozenset(self.graph.parts[node] if self.graph.kinds[node] == "and" else (node,))

    def _block(self, rules: list[tuple[int, frozenset[int]]], indent: int, known: Known) -> Known:
        pad = "    " * indent
        done = 0
        for bit, needs in rules:
            done |= (1 << bit) if not needs - {TRUE} else 0
        if done:
            self.lines.append(f"{pad}m |= {done:#x}")
        rest = [(b, n - {TRUE}) for b, n in rules if n - {TRUE} and FALSE not in n]
        while rest:
            node, count = self._most_wanted(rest)
            if count < 2 or indent >= MAX_INDENT:
                break
            inside = [(b, n - {node}) for b, n in rest if node in n]
            rest = [(b, n) for b, n in rest if node not in n]
            known = self._if(node, inside, indent, known)
        if indent < MAX_INDENT:
            rest, known = self._tables(rest, indent, known)
        for bit, needs in sorted(rest):
            code, always, _, _ = self._and(sorted(needs, key=self._rank), known)
            self.lines.append(f"{pad}if {code}: m |= {1 << bit:#x}")
            known |= always
        return known

    def _most_wanted(self, rules: list[tuple[int, frozenset[int]]]) -> tuple[int, int]:
        counts = Counter(n for _, needs in rules for n in needs)
        node = max(counts, key=lambda n: (counts[n], -self._rank(n), n))
        return node, counts[node]

    def _if(self, node: int, inside: list[tuple[int, frozenset[int]]], indent: int, known: Known) -> Known:
        code, always, if_true, _ = self._expression(node, known)
        self.lines.append("    " * indent + f"if {code}:")
        self._block(inside, indent + 1, known | if_true)
        return known | always

    def _tables(
        self, rules: list[tuple[int, frozenset[int]]], indent: int, known: Known
    ) -> tuple[list[tuple[int, frozenset[int]]], Known]:
        """Rules that want one field to equal something: one look-up says which of them go on."""
        wanted: dict[Operand, dict[int, int]] = {}
        for at, (_, needs) in enumerate(rules):
            for node in sorted(needs, key=self._rank):
                check = self._equality(node)
                if check is not None:
                    wanted.setdefault(check.left, {}).setdefault(at, node)
        taken: set[int] = set()
        for operand, members in sorted(wanted.items(), key=lambda x: -len(x[1])):
            mine = {at: node for at, node in members.items() if at not in taken}
            if len(mine) < MIN_LOOKUP:
                continue
            taken |= mine.keys()
            known = self._table(operand, [(rules[at], node) for at, node in mine.items()], indent, known)
        return [r for at, r in enumerate(rules) if at not in taken], known

    def _table(
        self,
        operand: Operand,
        members: list[tuple[tuple[int, frozenset[int]], int]],
        indent: int,
        known: Known,
    ) -> Known:
        spec = operand_spec(operand)
        table: dict[Any, int] = {}
        for number, (_, node) in enumerate(members):
            for wanted in self.graph.checks[node].values:
                key = literal(wanted.text, spec)
                table[key] = table.get(key, 0) | 1 << number
        value, name = self._value(operand, known)
        pad = "    " * indent
        hits = f"t{len(self.names)}"
        self.names[hits] = table.get
        self.lines.append(f"{pad}b = {hits}({value})")
        self.lines.append(f"{pad}if b is not None:")
        inner = known | {name}
        here = f"b{indent}"
        self.lines.append(f"{pad}    {here} = b")
        for number, ((bit, needs), node) in enumerate(members):
            self.lines.append(f"{pad}    if {here} & {1 << number}:")
            self._block([(bit, needs - {node} or frozenset({TRUE}))], indent + 2, inner)
        return inner

    def _equality(self, node: int) -> Check | None:
        check = self.graph.checks.get(node)
        if check is None or check.op not in ("=", "in") or check.modifier or check.right is not None:
            return None
        if not isinstance(check.left, FieldRef) or is_many(check.left):
            return None
        return check if operand_spec(check.left).type not in (FieldType.NET, FieldType.BYTES) else None

    # ---- expressions: (code, fields known after it, after it held, after it did not)

    def _expression(self, node: int, known: Known, depth: int = 0) -> tuple[str, Known, Known, Known]:
        if node in self.shared:
            name = f"x{node}"
            if name in known:
                return name, frozenset(), frozenset(), frozenset()
            code, _, _, _ = self._plain(node, known, depth)
            self.lazy.add(name)
            text = f"({name} if {name} is not _ else ({name} := ({code})))"
            own = frozenset({name})
            return text, own, own, own
        return self._plain(node, known, depth)

    def _plain(self, node: int, known: Known, depth: int) -> tuple[str, Known, Known, Known]:
        kind, parts = self.graph.kinds[node], self.graph.parts[node]
        if depth > MAX_NESTING:
            return self._call(node, known)
        if kind == "not":
            code, always, if_true, if_false = self._expression(parts[0], known, depth + 1)
            return f"not {code}", always, if_false, if_true
        if kind == "and":
            return self._and(sorted(parts, key=self._rank), known, depth)
        if kind == "or":
            return self._or(sorted(parts, key=self._rank_or), known, depth)
        if node in (TRUE, FALSE):
            return str(node == TRUE), frozenset(), frozenset(), frozenset()
        return self._test(self.graph.checks[node], known)

    def _and(self, nodes: list[int], known: Known, depth: int = 0) -> tuple[str, Known, Known, Known]:
        codes, first, gained = [], frozenset[str](), known
        for at, node in enumerate(nodes):
            code, always, if_true, _ = self._expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_true
            first = always if at == 0 else first
        return "(" + " and ".join(codes) + ")", first, gained - known, first

    def _or(self, nodes: list[int], known: Known, depth: int = 0) -> tuple[str, Known, Known, Known]:
        codes, first, gained = [], frozenset[str](), known
        for at, node in enumerate(nodes):
            code, always, _, if_false = self._expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_false
            first = always if at == 0 else first
        return "(" + " or ".join(codes) + ")", first, first, gained - known

    def _call(self, node: int, known: Known) -> tuple[str, Known, Known, Known]:
        """A part that is nested too deeply for Python's own parser: a function of its own."""
        inner = Emitter(self.graph, self.getter)
        name = f"d{node}"
        self.names[name] = inner.function([(0, node)])
        return f"{name}(ev)", frozenset(), frozenset(), frozenset()

    def _value(self, operand: Operand, known: Known) -> tuple[str, str]:
        name = self.variables.setdefault(operand, f"v{len(self.variables)}")
        if name in known:
            return name, name
        self.names.setdefault(f"g{name}", self.getter(operand))
        if name not in self.met:
            self.met.add(name)  # no way leads here on which it is known already
            return f"({name} := g{name}(ev))", name
        self.lazy.add(name)
        return f"({name} if {name} is not _ else ({name} := g{name}(ev)))", name

    def _test(self, check: Check, known: Known) -> tuple[str, Known, Known, Known]:
        value, name = self._value(check.left, known)
        own = frozenset({name})
        if check.right is not None:
            right, other = self._value(check.right, known | own)
            function = self._constant(check.evaluate_both)
            both = own | {other}
            return f"{function}({value}, {right})", both, both, both
        code = self._inline(check, value, name, name in known)
        if code is None:
            code = f"{self._constant(check.test)}({value})"
        return code, own, own, own

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def _inline(self, check: Check, value: str, name: str, known: bool) -> str | None:
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

    def _cost(self, node: int) -> float:
        known = self._costs.get(node)
        if known is None:
            if node in self.graph.checks:
                known = _check_cost(self.graph.checks[node])
            else:
                known = 0.2 + sum(map(self._cost, self.graph.parts[node]))
            self._costs[node] = known
        return known

    def _chance(self, node: int) -> float:
        """A guess at how often it holds."""
        kind = self.graph.kinds[node]
        if kind == "not":
            return 1 - self._chance(self.graph.parts[node][0])
        if kind == "and":
            return min(map(self._chance, self.graph.parts[node]))
        if kind == "or":
            return min(0.9, sum(map(self._chance, self.graph.parts[node])))
        check = self.graph.checks.get(node)
        return 0.5 if check is None else _check_chance(check)

    def _rank(self, node: int) -> float:
        return self._cost(node) / (1.001 - self._chance(node))

    def _rank_or(self, node: int) -> float:
        return self._cost(node) / (0.001 + self._chance(node))

    def _find_shared(self, rules: list[tuple[int, int]]) -> None:
        """Parts, larger than one cheap test, that stand in more than one place."""
        uses: Counter[int] = Counter()
        seen: set[int] = set()
        todo = [node for _, node in rules]
        uses.update(todo)
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            uses.update(self.graph.parts[node])
            todo.extend(self.graph.parts[node])
        self.shared = {
            n
            for n, count in uses.items()
            if count > 1 and n > TRUE and self.graph.kinds[n] != "not" and self._cost(n) >= 2.5
        }


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
