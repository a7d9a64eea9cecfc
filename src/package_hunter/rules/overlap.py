"""Conditions that can never hold, and rules that an earlier one hides where only the first match counts.

Both are told only where they are sure: the logic of `and`, `or` and `not` over equal tests, sets of values of
one field, and bounds of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.compile.graph import FALSE, TRUE, Graph, is_many, specialise
from package_hunter.rules.evttypes import GENERIC
from package_hunter.rules.model import Rule
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import NUMBERS, ORDER, literal
from package_hunter.rules.patterns import ValueProblem

MAX_COMPARISONS = 2_000_000
Values = frozenset[object]


@dataclass
class Overlaps:
    """Looks at rules one after the other; all share one graph, so equal parts are one node."""

    graph: Graph = field(default_factory=Graph)
    _memo: dict[int, dict[int, int]] = field(default_factory=lambda: {number: {} for number in GENERIC})
    _never: dict[int, bool] = field(default_factory=dict)
    _sets: dict[int, tuple[Operand, Values] | None] = field(default_factory=dict)

    def never(self, rule: Rule) -> bool:
        """Whether its condition surely holds on no event."""
        return all(self._is_never(self._node(rule, number)) for number in GENERIC)

    def hidden(self, rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
        """(rule, the earlier one that matches whatever it matches), each rule once."""
        parts = {rule.name: self._parts(self._node(rule)) for rule in rules}
        found: list[tuple[Rule, Rule]] = []
        left = MAX_COMPARISONS
        for at, rule in enumerate(rules):
            mine = parts[rule.name]
            for earlier in rules[:at]:
                left -= 1
                if left < 0:
                    return found
                if rule.types <= earlier.types and all(self._follows(p, mine) for p in parts[earlier.name]):
                    found.append((rule, earlier))
                    break
        return found

    def _node(self, rule: Rule, number: int = GENERIC[1]) -> int:
        """On entries and exits of calls of a type that decides nothing else."""
        return specialise(self.graph, rule.node, number, self._memo[number])

    def _parts(self, node: int) -> frozenset[int]:
        own = self.graph.parts[node] if self.graph.kinds[node] == "and" else (node,)
        return frozenset(n for n in own if n != TRUE and not self._of_type(n))

    def _of_type(self, node: int) -> bool:
        """Tests of the event type are compared as the sets of types that rules have."""
        check = self.graph.checks.get(node)
        return check is not None and str(check.left) == "evt.type" and check.op in ("=", "in")

    # ---- does it follow?

    def _follows(self, wanted: int, given: frozenset[int]) -> bool:
        """Whether ``wanted`` holds wherever all of ``given`` do."""
        if wanted in given:
            return True
        kind = self.graph.kinds[wanted]
        if kind == "or" and any(part in given for part in self.graph.parts[wanted]):
            return True
        return any(self._narrower(have, wanted) for have in given)

    def _narrower(self, have: int, wanted: int) -> bool:
        """``a in (x)`` within ``a in (x, y)``; negated the other way round."""
        negated = self.graph.kinds[have] == "not"
        if negated != (self.graph.kinds[wanted] == "not"):
            return False
        if negated:
            have, wanted = self.graph.parts[wanted][0], self.graph.parts[have][0]
        mine, theirs = self._set(have), self._set(wanted)
        return mine is not None and theirs is not None and mine[0] == theirs[0] and mine[1] <= theirs[1]

    # ---- can it hold?

    def _is_never(self, node: int) -> bool:
        known = self._never.get(node)
        if known is None:
            self._never[node] = known = self._work_out(node)
        return known

    def _work_out(self, node: int) -> bool:
        kind, parts = self.graph.kinds[node], self.graph.parts[node]
        if kind == "or":
            return all(map(self._is_never, parts))
        if kind == "and":
            return any(map(self._is_never, parts)) or self._contradict(self._spread(parts))
        return node == FALSE

    def _spread(self, parts: Iterable[int]) -> list[int]:
        """``not (a or b)`` is ``not a and not b``."""
        spread = []
        for part in parts:
            inner = self.graph.parts[part][0] if self.graph.kinds[part] == "not" else FALSE
            each = self.graph.parts[inner] if self.graph.kinds[inner] == "or" else ()
            spread += [self.graph.negate(n) for n in each] or [part]
        return spread

    def _contradict(self, parts: list[int]) -> bool:
        held = set(parts)
        if any(self.graph.kinds[n] == "not" and self.graph.parts[n][0] in held for n in parts):
            return True
        allowed: dict[Operand, Values] = {}
        for node in parts:
            own = self._set(node)
            if own is not None:
                allowed[own[0]] = allowed.get(own[0], own[1]) & own[1]
        for node in parts:
            operand, values = self._excluded(node)
            if operand in allowed:
                allowed[operand] -= values
        return not all(allowed.values()) or self._out_of_bounds(parts, allowed)

    def _set(self, node: int) -> tuple[Operand, Values] | None:
        """A field and the values of which it must have one."""
        if node not in self._sets:
            check = self.graph.checks.get(node)
            self._sets[node] = None if check is None or check.op not in ("=", "in") else _values(check)
        return self._sets[node]

    def _excluded(self, node: int) -> tuple[Operand | None, Values]:
        check = self.graph.checks.get(node)
        if check is not None and check.op == "!=":
            return _values(check) or (None, frozenset())
        inner = self._set(self.graph.parts[node][0]) if self.graph.kinds[node] == "not" else None
        return inner or (None, frozenset())

    def _out_of_bounds(self, parts: list[int], allowed: dict[Operand, Values]) -> bool:
        bounds: dict[Operand, tuple[float, float]] = {}
        for node in parts:
            check = self.graph.checks.get(node)
            if check is None or check.op not in ORDER or not (known := _values(check)):
                continue
            if operand_spec(check.left).type not in NUMBERS:
                continue
            (value,) = known[1]
            assert isinstance(value, int)
            low, high = bounds.get(check.left, (float("-inf"), float("inf")))
            step = 1 if check.op in ("<", ">") else 0
            if check.op in (">", ">="):
                low = max(low, value + step)
            else:
                high = min(high, value - step)
            bounds[check.left] = low, high
        return any(
            low > high
            or (
                operand in allowed
                and not any(low <= v <= high for v in allowed[operand] if isinstance(v, int))
            )
            for operand, (low, high) in bounds.items()
        )


def _values(check: Check) -> tuple[Operand, Values] | None:
    """A field that has one value, and what it is compared with; None where it may have many."""
    if (
        check.modifier
        or check.right is not None
        or not isinstance(check.left, FieldRef)
        or is_many(check.left)
    ):
        return None
    try:
        return check.left, frozenset(literal(v.text, operand_spec(check.left)) for v in check.values)
    except ValueProblem:
        return None
