"""Rules tried on recordings, apart from all others: what they match, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from package_hunter.enrich.fields.source import Fields
from package_hunter.model.observation import Alert
from package_hunter.pipeline.replay import replay
from package_hunter.rules import Matcher, Rule, RuleSet
from package_hunter.rules.load import load_condition

MAX_SHOWN = 50
"""Alerts of one recording that are kept whole; the others are counted."""
MAX_SOUGHT = 20_000
"""Events of one recording that a condition is to hold for: who seeks more of them seeks nothing."""
_ANY = "evt.num > 0"
_TOLD = (
    "%evt.type %evt.args %fd.name %proc.name %proc.cmdline %proc.exepath %proc.pname %proc.pid %proc.vpid "
    "%proc.cwd %user.uid"
)


@dataclass(frozen=True)
class Tried:
    """What rules did on the recordings of a scan. ``counts``: alerts by rule, ``shown``: the first of them;
    ``events`` were matched in ``nanoseconds`` altogether (wall clock, the values that rules ask for included)."""

    events: int
    counts: Counter[str]
    shown: tuple[Alert, ...]
    nanoseconds: int


class _Clocked(Matcher):
    """Knows how long it took."""

    def __init__(self, ruleset: RuleSet) -> None:
        super().__init__(ruleset, Fields(None))
        self.nanoseconds = 0

    def matches(self, event: Any) -> tuple[Rule, ...]:
        """See `Matcher`."""
        began = perf_counter_ns()
        found = super().matches(event)
        self.nanoseconds += perf_counter_ns() - began
        return found


def only(ruleset: RuleSet, file: str) -> RuleSet:
    """The rules of one file out of a set, with the macros and lists that they use."""
    return RuleSet([one for one in ruleset.rules if one.place.file == file], ruleset.macros, ruleset.lists)


def try_on(ruleset: RuleSet, recordings: Sequence[Path]) -> Tried:
    """Replay them; BadArchiveError where one is no recording, RuleFileError where a rule cannot be compiled."""
    matcher = _Clocked(ruleset)
    known = _names(ruleset)
    events, counts, shown = 0, Counter[str](), list[Alert]()
    for path in recordings:
        seen = replay(path, matcher).observation
        alerts = _of(known, seen.alerts)
        events += seen.events
        counts.update(alert.rule for alert in alerts)
        shown += alerts[: MAX_SHOWN - len(shown)]
    return Tried(events, counts, tuple(shown), matcher.nanoseconds)


@dataclass(frozen=True)
class Sought:
    """Events of a scan's recordings. ``matches`` are those that a condition holds for, ``shown`` the first of them;
    ``whole``: there are no more than are counted."""

    events: int
    matches: int
    shown: tuple[Alert, ...]
    whole: bool


def seek(condition: str, ruleset: RuleSet, recordings: Sequence[Path], most: int) -> Sought:
    """The first ``most`` events that ``condition`` holds for, which may use the macros and lists of ``ruleset``; empty:
    of all. Without those of the box's own first process. Errors as of `try_on`."""
    [rule] = load_condition(condition.strip() or _ANY, ruleset).rules
    one = RuleSet([replace(rule, output=_TOLD)], ruleset.macros, ruleset.lists)
    matcher, known = Matcher(one, Fields(None)), _names(one)
    events, matches, shown, whole = 0, 0, list[Alert](), True
    for path in recordings:
        seen = replay(path, matcher, most=MAX_SOUGHT).observation
        found = _of(known, seen.alerts)
        events, matches = events + seen.events, matches + len(found)
        shown += found[: most - len(shown)]
        whole = whole and not any(kind.startswith("alerts of ") for kind in seen.cut)
    return Sought(events, matches, tuple(shown), whole)


def _names(ruleset: RuleSet) -> set[str]:
    return {rule.name for rule in ruleset.rules}


def _of(known: set[str], alerts: Sequence[Alert]) -> list[Alert]:
    """Those of these rules, not those that every replay raises."""
    return [alert for alert in alerts if alert.rule in known]
