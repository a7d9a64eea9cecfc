"""Tests of rules, kept as YAML beside them: events in, alerts out.

- defaults: {proc.name: node, user.name: dev}        # fields of every event below
- rule: Name of a rule
  matches: [{evt.type: connect, fd.sip: 192.0.2.1}]  # events that it must match
  passes: [{evt.type: connect, fd.sip: 127.0.0.1}]   # events that it must not match
- test: a sentence                                   # all rules at once
  events: [{...}, {...}]
  alerts: [Name of a rule, ...]                      # expected, in order
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from package_hunter.errors import RuleFileError
from package_hunter.rules.compile.engine import Matcher, compile_matcher, run
from package_hunter.rules.document import DocumentError, Item, read_file, read_items
from package_hunter.rules.model import RuleSet
from package_hunter.rules.source import DictEvent, DictSource

_ADVICE = "The form of a test file is in docs/rules.md."


@dataclass(frozen=True)
class Outcome:
    """How one case went; ``why`` is empty where it went well."""

    place: str
    name: str
    why: str = ""


def run_tests(path: Path, ruleset: RuleSet) -> list[Outcome]:
    """Run a test file against rules. RuleFileError where the file is none."""
    try:
        items = read_items(read_file(path), str(path), typed=True)
    except DocumentError as error:
        raise RuleFileError(f"{error.place}: {error.message}", _ADVICE) from None
    except OSError as error:
        raise RuleFileError(f"{path} cannot be read: {error.strerror}.") from None
    matcher = compile_matcher(ruleset, DictSource())
    defaults: dict[str, Any] = {}
    outcomes: list[Outcome] = []
    for item in items:
        if "defaults" in item.values:
            defaults = _mapping(item, item.values["defaults"])
        elif "rule" in item.values:
            outcomes += _rule_cases(item, matcher, defaults)
        elif "test" in item.values:
            outcomes.append(_whole_case(item, matcher, defaults))
        else:
            raise RuleFileError(f"{item.place}: an entry is 'defaults', 'rule' or 'test'.", _ADVICE)
    return outcomes


def _mapping(item: Item, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RuleFileError(f"{item.place}: an event is a mapping of fields to values.", _ADVICE)
    return {key: _value(v) for key, v in value.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip("-").isdigit() and len(value) < 20:
        return int(value)
    return value


def _events(item: Item, key: str, defaults: dict[str, Any]) -> Iterator[DictEvent]:
    events = item.values.get(key) or []
    if not isinstance(events, list):
        raise RuleFileError(f"{item.at(key)}: {key} is a list of events.", _ADVICE)
    for number, event in enumerate(events, 1):
        yield DictEvent({**defaults, **_mapping(item, event)}, number)


def _rule_cases(item: Item, matcher: Matcher, defaults: dict[str, Any]) -> Iterator[Outcome]:
    name = str(item.values["rule"])
    rule = next((r for r in matcher.rules if r.name == name), None)
    if rule is None:
        yield Outcome(str(item.place), name, "There is no enabled rule of that name.")
        return
    for key, wanted in (("matches", True), ("passes", False)):
        for event in _events(item, key, defaults):
            found = rule in matcher.matches(event)
            what = "should match and does not" if wanted else "should not match and does"
            why = "" if found == wanted else f"Event {event.num} under {key} {what}."
            if found:
                matcher.alert(rule, event)
            yield Outcome(str(item.at(key)), f"{name}: {key} {event.num}", why)


def _whole_case(item: Item, matcher: Matcher, defaults: dict[str, Any]) -> Outcome:
    wanted = [str(a) for a in item.values.get("alerts") or []]
    got = [a.rule for a in run(matcher, list(_events(item, "events", defaults)))]
    why = "" if got == wanted else f"Expected {wanted or 'no alert'}, got {got or 'none'}."
    return Outcome(str(item.place), str(item.values["test"]), why)
