"""Python code for one event type: a tree of `if`s over all its rules.

What several rules demand is tested once, for all of them; tests of one field for equality become one
look-up; a field is extracted when first needed and kept; a part that several rules share is evaluated once an
event. Values are kept in local variables: ``_`` marks one that is not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from package_hunter.model.fields import FieldType, Inline
from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import NUMBERS, TEXTS, literal
from package_hunter.rules.patterns import path_test, required_literal
from package_hunter.rules.shape import FALSE, TRUE, Graph, is_many
from package_hunter.rules.sieve import PERHAPS, Sieves, fits, weight

MAX_INDENT = 40
MAX_NESTING = 60
MIN_LOOKUP = 3  # so many rules that ask one field for equality make a table worth it
MIN_HOISTED = 3  # so many fields that stand on one value make it worth getting at once
MIN_SIEVED = 6  # tests of one field's text of such weight together make a sieve worth it
DEAR = 4.0  # a part of such cost that few rules share is not worth asking before cheaper questions
MIN_SIFTED = 4  # so many rules that need something of one sieve make it worth asking for all of them at once
Known = frozenset[str]
Rules = list[tuple[int, frozenset[int]]]
NOTHING: Known = frozenset()


@dataclass
class Emitter:
    """Collects lines and the constants that they use."""

    graph: Graph
    getter: Callable[[Operand], Any]
    sieves: Sieves = field(default_factory=Sieves)
    inline: Callable[[Operand], Inline | None] = lambda operand: None
    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    variables: dict[Operand, str] = field(default_factory=dict)
    lazy: set[str] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)
    source: str = ""
    met: set[str] = field(default_factory=set)
    operands: set[Operand] = field(default_factory=set)
    _inside: Operand | None = None
    sieved: set[Operand] = field(default_factory=set)
    _costs: dict[int, float] = field(default_factory=dict)
    _masks: dict[int, tuple[Operand, int] | None] = field(default_factory=dict)

    def function(self, rules: list[tuple[int, int]]) -> Callable[[Any], int]:
        """``ev -> bits``: bit i is set where rule i's node holds. ``rules`` are (bit, node)."""
        self._find_shared(rules)
        known = self._hoist()
        self._block([(bit, self._conjuncts(node)) for bit, node in rules], 1, known)
        head = ["def match(ev, _=_):", "    m = 0"]
        if self.lazy:
            head.append("    " + " = ".join(sorted(self.lazy)) + " = _")
        source = "\n".join([*head, *self.lines, "    return m"])
        self.source = source
        scope: dict[str, Any] = {**self.names, "_": object()}
        exec(compile(source, "<rules>", "exec"), scope)  # noqa: S102  the text is made here, values by repr
        match: Callable[[Any], int] = scope["match"]
        return match

    def _hoist(self) -> Known:
        """What many fields stand on is got at the beginning."""
        uses: Counter[tuple[str, str | None]] = Counter()
        todo = [operand for operand in self.operands if isinstance(operand, FieldRef)]
        while todo:
            inline = self.inline(todo.pop())
            if inline is not None:
                uses.update(need for need in inline.needs if need[0].startswith("#"))
                todo.extend(FieldRef(*need) for need in inline.needs if uses[need] == 1)
        known = NOTHING
        for need, count in uses.items():
            ref = FieldRef(*need)
            inline = self.inline(ref)
            if count >= MIN_HOISTED and inline is not None and not inline.needs:
                code, _, gained = self._value(ref, known)
                self.lines.append(f"    {code[1:-1].replace(':=', '=', 1)}")
                known |= gained
        return known

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
        groups = []
        while rest:
            node, count = self._most_wanted(rest)
            if count < 2 or indent >= MAX_INDENT or (count < MIN_SIFTED and self._cost(node) > DEAR):
                break
            groups.append((node, [(b, n - {node}) for b, n in rest if node in n]))
            rest = [(b, n) for b, n in rest if node not in n]
        if indent < MAX_INDENT:
            rest, known = self._tables(rest, indent, known)
            rest, known = self._sifted(rest, indent, known)
        for bit, needs in sorted(rest):  # first: what they ask is known from then on
            code, always, _, _ = self._and(sorted(needs, key=self._rank), known)
            self.lines.append(f"{pad}if {code}: m |= {1 << bit:#x}")
            known |= always
        for node, inside in groups:
            known = self._if(node, inside, indent, known)
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
        value, _, gained = self._value(operand, known)
        pad = "    " * indent
        hits = f"t{len(self.names)}"
        self.names[hits] = table.get
        self.lines.append(f"{pad}b = {hits}({value})")
        self.lines.append(f"{pad}if b is not None:")
        inner = known | gained
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
        if check.left in self.sieved:
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
        masked = self._mask(node)
        if masked is not None:
            return self._sieve(*masked, known)
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
        codes, first, gained = [], NOTHING, known
        for at, node in enumerate(self._fuse(nodes, "not")):
            code, always, if_true, _ = self._expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_true
            first = always if at == 0 else first
        return "(" + " and ".join(codes) + ")", first, gained - known, first

    def _or(self, nodes: list[int], known: Known, depth: int = 0) -> tuple[str, Known, Known, Known]:
        codes, first, gained = [], NOTHING, known
        for at, node in enumerate(self._fuse(nodes, "or")):
            code, always, _, if_false = self._expression(node, gained, depth + 1)
            codes.append(code)
            gained |= if_false
            first = always if at == 0 else first
        return "(" + " or ".join(codes) + ")", first, first, gained - known

    def _call(self, node: int, known: Known) -> tuple[str, Known, Known, Known]:
        """A part that is nested too deeply for Python's own parser: a function of its own."""
        inner = Emitter(self.graph, self.getter, self.sieves, self.inline)
        name = f"d{node}"
        self.names[name] = inner.function([(0, node)])
        return f"{name}(ev)", NOTHING, NOTHING, NOTHING

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
            code, always, _, _ = self._sieve(operand, bits, known)
            self.lines.append("    " * indent + f"if {code}:")
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
        masked, check = self._mask(node), self.graph.checks.get(node)
        if masked is not None:
            return dict([masked])
        if check is not None:
            if check.left not in self.sieved or not fits(check):
                return {}
            bit = self.sieves[check.left].bit(check)
            return {} if bit is None else {check.left: bit}
        kind, parts = self.graph.kinds[node], self.graph.parts[node]
        if kind == "and":
            return self._wanted(parts)
        if kind != "or":
            return {}
        each = [self._wanted_by(part) for part in parts]
        return {o: reduce(or_, (e[o] for e in each)) for o in each[0] if all(o in e for e in each)}

    def _mask(self, node: int) -> tuple[Operand, int] | None:
        """The field and bits whose sieve says alone whether a node holds."""
        if node not in self._masks:
            self._masks[node] = self._find_mask(node)
        return self._masks[node]

    def _find_mask(self, node: int) -> tuple[Operand, int] | None:
        check = self.graph.checks.get(node)
        if check is not None:
            if check.left not in self.sieved or check.op in PERHAPS or not fits(check):
                return None
            bit = self.sieves[check.left].bit(check)
            return None if bit is None else (check.left, bit)
        if self.graph.kinds[node] != "or":
            return None
        parts = [self._mask(part) for part in self.graph.parts[node]]
        if any(p is None or p[0] != (parts[0] or p)[0] for p in parts):
            return None
        found = [p for p in parts if p is not None]
        return found[0][0], reduce(or_, (bits for _, bits in found))

    def _fuse(self, nodes: list[int], kind: str) -> list[int]:
        """Neighbours under ``or`` (or negated ones under ``and``) that one sieve answers become one node."""
        groups: dict[Operand, list[int]] = {}
        for node in nodes:
            if (kind == "not") == (self.graph.kinds[node] == "not"):
                masked = self._mask(self.graph.parts[node][0] if kind == "not" else node)
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

    def _sieve(self, operand: Operand, bits: int, known: Known) -> tuple[str, Known, Known, Known]:
        value = self.variables.setdefault(operand, f"v{len(self.variables)}")
        table = f"s{value}"
        self.names[table] = self.sieves[operand]

        def look_up(known: Known) -> tuple[str, Known]:
            code, _, gained = self._value(operand, known)
            return f"{table}[{code}]", gained

        code, gained = self._variable(f"p{value}", known, look_up)
        return f"({code} & {bits:#x})", gained, gained, gained

    # ---- values

    def _variable(
        self, name: str, known: Known, make: Callable[[Known], tuple[str, Known]]
    ) -> tuple[str, Known]:
        """An expression for a value that is kept in a variable, and the variables that are known after it."""
        if name in known:
            return name, NOTHING
        first = name not in self.met
        self.met.add(name)
        code, gained = make(known)
        if first:  # no way leads here on which it is known already
            return f"({name} := {code})", gained | {name}
        self.lazy.add(name)
        return f"({name} if {name} is not _ else ({name} := {code}))", frozenset({name})

    def _value(self, operand: Operand, known: Known) -> tuple[str, str, Known]:
        """An expression for an operand, a name for it from then on, and the variables known after it."""
        name = self.variables.setdefault(operand, f"v{len(self.variables)}")
        inline = self.inline(operand)

        def make(known: Known) -> tuple[str, Known]:
            if inline is not None:
                return self._expand(inline, known)
            self.names.setdefault(f"g{name}", self.getter(operand))
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
            parts[letter], parts[letter.upper()], more = self._value(FieldRef(*need), known | gained)
            gained |= more
        return inline.code.format(**parts), gained

    def _test(self, check: Check, known: Known) -> tuple[str, Known, Known, Known]:
        if check.left in self.sieved and check.op in PERHAPS and fits(check):
            return self._perhaps(check, known)
        value, name, own = self._value(check.left, known)
        if check.right is not None:
            right, _, more = self._value(check.right, known | own)
            function = self._constant(check.evaluate_both)
            both = own | more
            return f"{function}({value}, {right})", both, both, both
        code = self._inline(check, value, name)
        if code is None:
            one = _of_one(check)
            called = self._constant(one or check.test)
            code = f"({value} is not None and {called}({name}))" if one else f"{called}({value})"
        return code, own, own, own

    def _perhaps(self, check: Check, known: Known) -> tuple[str, Known, Known, Known]:
        """Tried only where the sieve found the text that every match holds."""
        bit = self.sieves[check.left].bit(check)
        if bit is None:
            value, _, own = self._value(check.left, known)
            return f"{self._constant(check.test)}({value})", own, own, own
        held, always, _, _ = self._sieve(check.left, bit, known)
        value, _, more = self._value(check.left, known | always)
        test = self._constant(_of_one(check) or check.test)
        return f"({held} and {test}({value}))", always, always | more, always

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

    def _cost(self, node: int) -> float:
        known = self._costs.get(node)
        if known is None:
            if self._mask(node) is not None:
                known = 0.6
            elif node in self.graph.checks:
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
        self.operands = {o for n in seen if n in self.graph.checks for o in _sides(self.graph.checks[n])}
        asked: Counter[Operand] = Counter()
        for n in seen:
            check = self.graph.checks.get(n)
            if check is not None and fits(check):
                asked[check.left] += weight(check)
        self.sieved = {operand for operand, count in asked.items() if count >= MIN_SIEVED}
        self.shared = {
            n
            for n, count in uses.items()
            if count > 1 and n > TRUE and self.graph.kinds[n] != "not" and self._cost(n) >= 2.5
        }


def _of_one(check: Check) -> Any:
    """The test of a value that is there and is one; None where there is none such, or values may be many."""
    plain = isinstance(check.left, FieldRef) and not is_many(check.left) and not check.modifier
    return getattr(check.test, "one", None) if plain and check.op != "exists" else None


def _sides(check: Check) -> tuple[Operand, ...]:
    return (check.left,) if check.right is None else (check.left, check.right)


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
