"""Python code for one event type: a tree of `if`s over all its rules.

What several rules demand is tested once, for all of them; tests of one field for equality become one
look-up; a field is extracted when first needed and kept; a part that several rules share is evaluated once an
event. Values are kept in local variables: ``_`` marks one that is not known yet.
"""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from package_hunter.model.fields import FieldType
from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.compile.expressions import NOTHING, Expressions, Known, Values
from package_hunter.rules.compile.graph import FALSE, TRUE, Graph, is_many
from package_hunter.rules.compile.sieve import fits, weight
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import literal

MAX_INDENT = 40
MIN_LOOKUP = 3  # so many rules that ask one field for equality make a table worth it
MIN_HOISTED = 3  # so many fields that stand on one value make it worth getting at once
MIN_SIEVED = 6  # tests of one field's text of such weight together make a sieve worth it
DEAR = 4.0  # a part of such cost that few rules share is not worth asking before cheaper questions
MIN_SIFTED = 4  # so many rules that need something of one sieve make it worth asking for all of them at once
Rules = list[tuple[int, frozenset[int]]]  # each: its bit, the nodes that must hold


@dataclass(frozen=True, slots=True)
class Function:
    """``match(ev)`` gives bits: bit i is set where rule i's node holds. ``source`` is its Python text."""

    match: Callable[[Any], int]
    source: str


class Emitter:
    """Writes the code of all rules of one event type."""

    def __init__(self, graph: Graph, values: Values, name: str = "rules") -> None:
        self.graph, self._values, self._name = graph, values, name
        self.expressions = Expressions(graph, values, self._deep)
        self._lines: list[str] = []
        self._operands: set[Operand] = set()
        self._inside: Operand | None = None  # the field whose sieve said yes to what is being written

    def function(self, rules: list[tuple[int, int]]) -> Function:
        """The function of these rules, as (bit, node)."""
        self._find_shared(rules)
        known = self._hoist()
        self._block([(bit, self._conjuncts(node)) for bit, node in rules], 1, known)
        head = ["def match(ev, _=_):", "    m = 0"]
        if self.expressions.lazy:
            head.append("    " + " = ".join(sorted(self.expressions.lazy)) + " = _")
        source = "\n".join([*head, *self._lines, "    return m", ""])
        return Function(_defined(source, self._name, {**self.expressions.names, "_": object()}), source)

    def _deep(self, node: int) -> Callable[[Any], int]:
        """A part that is nested too deeply for Python's own parser: a function of its own."""
        return Emitter(self.graph, self._values, f"{self._name}, part {node}").function([(0, node)]).match

    def _hoist(self) -> Known:
        """What many fields stand on is got at the beginning."""
        uses: Counter[tuple[str, str | None]] = Counter()
        todo = [operand for operand in self._operands if isinstance(operand, FieldRef)]
        while todo:
            inline = self._values.inline(todo.pop())
            if inline is not None:
                uses.update(need for need in inline.needs if need[0].startswith("#"))
                todo.extend(FieldRef(*need) for need in inline.needs if uses[need] == 1)
        known = NOTHING
        for need, count in uses.items():
            ref = FieldRef(*need)
            inline = self._values.inline(ref)
            if count >= MIN_HOISTED and inline is not None and not inline.needs:
                code, _, gained = self.expressions.value(ref, known)
                self._lines.append(f"    {code[1:-1].replace(':=', '=', 1)}")
                known |= gained
        return known

    # ---- the tree of ifs

    def _conjuncts(self, node: int) -> frozenset[int]:
        return frozenset(self.graph.parts[node] if self.graph.kinds[node] == "and" else (node,))

    def _block(self, rules: Rules, indent: int, known: Known) -> Known:
        pad = "    " * indent
        done = 0
        for bit, needs in rules:
            done |= (1 << bit) if not needs - {TRUE} else 0
        if done:
            self._lines.append(f"{pad}m |= {done:#x}")
        rest = [(b, n - {TRUE}) for b, n in rules if n - {TRUE} and FALSE not in n]
        groups = []
        while rest:
            node, count = self._most_wanted(rest)
            if (
                count < 2
                or indent >= MAX_INDENT
                or (count < MIN_SIFTED and self.expressions.cost(node) > DEAR)
            ):
                break
            groups.append((node, [(b, n - {node}) for b, n in rest if node in n]))
            rest = [(b, n) for b, n in rest if node not in n]
        if indent < MAX_INDENT:
            rest, known = self._tables(rest, indent, known)
            rest, known = self._sifted(rest, indent, known)
        for bit, needs in sorted(rest):  # first: what they ask is known from then on
            code, always, _, _ = self.expressions.conjunction(sorted(needs, key=self.expressions.rank), known)
            self._lines.append(f"{pad}if {code}: m |= {1 << bit:#x}")
            known |= always
        for node, inside in groups:
            known = self._if(node, inside, indent, known)
        return known

    def _most_wanted(self, rules: Rules) -> tuple[int, int]:
        counts = Counter(n for _, needs in rules for n in needs)
        most = max(counts.values())
        often = (n for n, count in counts.items() if count == most)
        return max(often, key=lambda n: (-self.expressions.rank(n), n)), most

    def _if(self, node: int, inside: Rules, indent: int, known: Known) -> Known:
        code, always, if_true, _ = self.expressions.expression(node, known)
        self._lines.append("    " * indent + f"if {code}:")
        self._block(inside, indent + 1, known | if_true)
        return known | always

    def _tables(self, rules: Rules, indent: int, known: Known) -> tuple[Rules, Known]:
        """Rules that want one field to equal something: one look-up says which of them go on."""
        wanted: dict[Operand, dict[int, int]] = {}
        for at, (_, needs) in enumerate(rules):
            for node in sorted(needs, key=self.expressions.rank):
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
        value, _, gained = self.expressions.value(operand, known)
        pad = "    " * indent
        hits = f"t{len(self.expressions.names)}"
        self.expressions.names[hits] = table.get
        self._lines.append(f"{pad}b = {hits}({value})")
        self._lines.append(f"{pad}if b is not None:")
        inner = known | gained
        here = f"b{indent}"
        self._lines.append(f"{pad}    {here} = b")
        for number, ((bit, needs), node) in enumerate(members):
            self._lines.append(f"{pad}    if {here} & {1 << number}:")
            self._block([(bit, needs - {node} or frozenset({TRUE}))], indent + 2, inner)
        return inner

    def _equality(self, node: int) -> Check | None:
        check = self.graph.checks.get(node)
        if check is None or check.op not in ("=", "in") or check.modifier or check.right is not None:
            return None
        if check.left in self.expressions.sieved:
            return None
        if not isinstance(check.left, FieldRef) or is_many(check.left):
            return None
        return check if operand_spec(check.left).type not in (FieldType.NET, FieldType.BYTES) else None

    # ---- questions that a sieve answers

    def _sifted(self, rules: Rules, indent: int, known: Known) -> tuple[Rules, Known]:
        """Rules that need a yes of one sieve to any of several questions: asked together, it is mostly no."""
        wants = {bit: self._wanted(needs) for bit, needs in rules}
        counts = Counter(operand for masks in wants.values() for operand in masks)
        for operand, count in counts.most_common():
            mine = [rule for rule in rules if operand in wants[rule[0]]]
            if min(count, len(mine)) < MIN_SIFTED or (len(mine) == len(rules) and self._inside == operand):
                continue
            bits = reduce(or_, (wants[bit][operand] for bit, _ in mine))
            code, always, _, _ = self.expressions.sieve(operand, bits, known)
            self._lines.append("    " * indent + f"if {code}:")
            outside, self._inside = self._inside, operand
            self._block(mine, indent + 1, known | always)
            self._inside = outside
            known |= always
            rules = [rule for rule in rules if rule not in mine]
        return rules, known

    def _wanted(self, nodes: Iterable[int]) -> dict[Operand, int]:
        """Fields and bits of which one has to be set where all of these nodes hold."""
        found: dict[Operand, int] = {}
        for node in nodes:
            for operand, bits in self._wanted_by(node).items():
                known = found.get(operand)
                found[operand] = bits if known is None or bits.bit_count() < known.bit_count() else known
        return found

    def _wanted_by(self, node: int) -> dict[Operand, int]:
        masked, check = self.expressions.mask(node), self.graph.checks.get(node)
        if masked is not None:
            return dict([masked])
        if check is not None:
            if check.left not in self.expressions.sieved or not fits(check):
                return {}
            bit = self._values.sieves[check.left].bit(check)
            return {} if bit is None else {check.left: bit}
        kind, parts = self.graph.kinds[node], self.graph.parts[node]
        if kind == "and":
            return self._wanted(parts)
        if kind != "or":
            return {}
        each = [self._wanted_by(part) for part in parts]
        return {o: reduce(or_, (e[o] for e in each)) for o in each[0] if all(o in e for e in each)}

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
        self._operands = {o for n in seen if n in self.graph.checks for o in _sides(self.graph.checks[n])}
        asked: Counter[Operand] = Counter()
        for n in seen:
            check = self.graph.checks.get(n)
            if check is not None and fits(check):
                asked[check.left] += weight(check)
        self.expressions.sieved = {operand for operand, count in asked.items() if count >= MIN_SIEVED}
        self.expressions.shared = {
            n
            for n, count in uses.items()
            if count > 1 and n > TRUE and self.graph.kinds[n] != "not" and self.expressions.cost(n) >= 2.5
        }


def _defined(source: str, name: str, scope: dict[str, Any]) -> Callable[[Any], int]:
    """The function ``match`` of a source text, which tracebacks and debuggers can show from now on."""
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope)  # noqa: S102  the text is made here, values by repr
    match: Callable[[Any], int] = scope["match"]
    return match


def _sides(check: Check) -> tuple[Operand, ...]:
    return (check.left,) if check.right is None else (check.left, check.right)
