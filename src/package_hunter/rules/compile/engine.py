"""The compiled rules: an event goes in, the rules that match come out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from package_hunter.errors import RuleFileError
from package_hunter.model.event import event_table
from package_hunter.model.fields import Extract, FieldSource, Inline
from package_hunter.model.observation import Alert
from package_hunter.rules.ast import FieldRef, Operand, Transformation
from package_hunter.rules.compile.emit import Emitter, Function
from package_hunter.rules.compile.expressions import Values
from package_hunter.rules.compile.graph import FALSE, Graph, arguments, signature, specialise, type_checks
from package_hunter.rules.compile.prefixes import open_prefixes
from package_hunter.rules.compile.sieve import Sieves
from package_hunter.rules.model import Rule, RuleSet
from package_hunter.rules.output import Template
from package_hunter.rules.transform import apply

Matches = tuple[Rule, ...]
_NOTHING: Matches = ()


class Matcher:
    """Rules compiled for one source of fields.

    ``event_types`` are the event numbers (model/event.py) that any enabled rule can match: what the probe has
    to report. ``open_prefixes`` are path prefixes outside of which no rule can match a file that is only
    opened for reading, or None where that cannot be told.
    """

    def __init__(self, ruleset: RuleSet, source: FieldSource, matching: str = "all") -> None:
        self.rules: Matches = tuple(r for r in ruleset.rules if r.enabled)
        self.first = matching == "first"
        self._source = source
        self._getters: dict[Operand, Extract] = {}
        self._templates: dict[str, Template] = {}
        self._decoded: dict[int, Matches] = {}
        self._table: dict[int, Callable[[Any], int]] = {}
        self._sources: dict[int, str] = {}
        self._sieves = Sieves()
        self._build()
        self.event_types: frozenset[int] = frozenset(self._table)
        self.open_prefixes = open_prefixes(self.rules)

    def _build(self) -> None:
        by_type: dict[int, list[tuple[int, Rule]]] = defaultdict(list)
        for bit, rule in enumerate(self.rules):
            for number in rule.types:
                by_type[number].append((bit, rule))
        checks = type_checks(rule.node for rule in self.rules)
        asked = arguments(rule.node for rule in self.rules)
        alike: dict[Any, Function | None] = {}
        for number, rules in by_type.items():
            lacks = tuple(self._absent(ref, number) for ref in asked)
            key = (
                tuple(bit for bit, _ in rules),
                *signature(checks, number),
                self._source.shape(number),
                lacks,
            )
            if key not in alike:
                alike[key] = self._compile(rules, number)
            function = alike[key]
            if function is not None:
                self._table[number] = function.match
                self._sources[number] = function.source
        for sieve in self._sieves.values():
            sieve.prepare()

    def _compile(self, rules: list[tuple[int, Rule]], number: int) -> Function | None:
        graph = Graph(self._source.constants, lambda ref: self._absent(ref, number))
        memo: dict[int, int] = {}
        nodes = [(bit, specialise(graph, rule.node, number, memo)) for bit, rule in rules]
        nodes = [(bit, node) for bit, node in nodes if node != FALSE]
        if not nodes:
            return None
        values = Values(self.getter, lambda operand: self._inline(operand, number), self._sieves)
        return Emitter(graph, values, f"rules for {event_table()[number].name}").function(nodes)

    def _absent(self, ref: FieldRef, number: int) -> bool:
        return self._source.absent(ref.name, ref.arg, number)

    def _inline(self, operand: Operand, number: int) -> Inline | None:
        if not isinstance(operand, FieldRef):
            return None
        return self._source.inline(operand.name, operand.arg, number)

    def source(self, number: int) -> str | None:
        """The Python text that judges events of a type; None where no rule asks for it."""
        return self._sources.get(number)

    def matches(self, event: Any) -> Matches:
        """The rules that match, in the order of the files; only the first where the engine is set so."""
        function = self._table.get(event.type)
        if function is None:
            return _NOTHING
        bits = function(event)
        return self._rules_of(bits) if bits else _NOTHING

    def _rules_of(self, bits: int) -> Matches:
        known = self._decoded.get(bits)
        if known is None:
            found = tuple(r for bit, r in enumerate(self.rules) if bits >> bit & 1)
            known = found[:1] if self.first else found
            if len(self._decoded) < 10_000:
                self._decoded[bits] = known
        return known

    def interpreted(self, event: Any) -> Matches:
        """The same by walking the conditions: slow, plain, what the compiled form is held against."""
        values: dict[Operand, Any] = {}

        def get(operand: Operand) -> Any:
            if operand not in values:
                values[operand] = self.getter(operand)(event)
            return values[operand]

        found = tuple(r for r in self.rules if event.type in r.types and r.node.evaluate(get))
        return found[:1] if self.first else found

    def getter(self, operand: Operand) -> Extract:
        """How an operand's value is got of an event."""
        known = self._getters.get(operand)
        if known is None:
            known = self._getters[operand] = self._make_getter(operand)
        return known

    def _make_getter(self, operand: Operand) -> Extract:
        if isinstance(operand, Transformation):
            return apply(operand, self.getter)
        assert isinstance(operand, FieldRef)
        try:
            return self._source.extractor(operand.name, operand.arg)
        except KeyError:
            raise RuleFileError(
                f"The field {operand} is not known to this source of events.",
                "Leave the rule out or change it.",
            ) from None

    def alert(self, rule: Rule, event: Any) -> Alert:
        """What is told of a match: the rule's output with the event's values."""
        template = self._templates.get(rule.name)
        if template is None:
            template = self._templates[rule.name] = Template(rule.output, self.getter)
        text, fields = template.fill(event)
        return Alert(
            time_ns=event.ts,
            rule=rule.name,
            priority=rule.priority,
            output=f"{template.clock(event.ts)}: {rule.priority} {text}",
            output_fields=fields,
            tags=rule.tags,
            source=rule.source,
            event_num=event.num,
            event_type=template.event_type(event),
            pid=event.pid,
            tid=event.tid,
        )


def compile_matcher(ruleset: RuleSet, source: FieldSource, matching: str = "all") -> Matcher:
    """Compile the enabled rules; ``matching`` is ``all`` or ``first`` (one alert an event, in file order).

    RuleFileError where a rule needs a field that the source does not have.
    """
    return Matcher(ruleset, source, matching)


def run(matcher: Matcher, events: Sequence[Any]) -> list[Alert]:
    """Every alert on these events, in their order."""
    return [matcher.alert(rule, event) for event in events for rule in matcher.matches(event)]
