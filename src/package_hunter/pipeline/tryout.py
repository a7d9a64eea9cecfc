"""Rules tried on recordings, apart from all others: what they match, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from package_hunter.enrich.fields.source import Fields
from package_hunter.model.observation import Alert
from package_hunter.pipeline.replay import replay
from package_hunter.rules import Matcher, Rule, RuleSet

MAX_SHOWN = 50
"""Alerts of one recording that are kept whole; the others are counted."""


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
    known = {rule.name for rule in ruleset.rules}
    events, counts, shown = 0, Counter[str](), list[Alert]()
    for path in recordings:
        seen = replay(path, matcher).observation
        alerts = [alert for alert in seen.alerts if alert.rule in known]  # not those that every replay raises
        events += seen.events
        counts.update(alert.rule for alert in alerts)
        shown += alerts[: MAX_SHOWN - len(shown)]
    return Tried(events, counts, tuple(shown), matcher.nanoseconds)
