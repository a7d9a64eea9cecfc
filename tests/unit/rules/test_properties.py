"""Compiled equals interpreted; conditions survive being written out; junk is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from package_hunter.rules import compile_matcher
from package_hunter.rules.ast import render
from package_hunter.rules.load import load_texts
from package_hunter.rules.model import RuleSet
from package_hunter.rules.parse import ConditionError, parse_condition
from package_hunter.rules.source import DictEvent, DictSource
from tests.support import rule_strategies as world

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def rules_of(conditions: list[str]) -> RuleSet:
    """A set of rules, the first condition also as a macro that the others use."""
    quoted = [c.replace("'", "''") for c in conditions]
    text = f"- macro: m\n  condition: '{quoted[0]}'\n"
    for number, condition in enumerate(quoted):
        text += f"- rule: r{number}\n  desc: d\n  output: o\n  priority: INFO\n"
        text += f"  condition: '({condition}) and (m or proc.name = cat)'\n"
    return load_texts([("made.yaml", text)])


@QUICK
@given(st.lists(world.condition, min_size=1, max_size=8), st.lists(world.event, min_size=1, max_size=6))
def test_compiled_equals_interpreted(conditions: list[str], events: list[dict[str, Any]]) -> None:
    ruleset = rules_of(conditions)
    assert [str(p) for p in ruleset.errors] == []
    matcher = compile_matcher(ruleset, DictSource())
    for values in events:
        event = DictEvent(values, 1)
        assert matcher.matches(event) == matcher.interpreted(event)


@QUICK
@given(st.lists(world.condition, min_size=2, max_size=8), st.lists(world.event, min_size=1, max_size=6))
def test_whatever_is_worth_a_table_or_a_sieve(conditions: list[str], events: list[dict[str, Any]]) -> None:
    ruleset = rules_of(conditions)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MIN_LOOKUP", "MIN_SIEVED", "MIN_SIFTED"):
            patch.setattr(f"package_hunter.rules.compile.emit.{name}", 1)
        matcher = compile_matcher(ruleset, DictSource())
    for values in events:
        event = DictEvent(values, 1)
        assert matcher.matches(event) == matcher.interpreted(event)


@QUICK
@given(world.condition)
def test_a_condition_survives_being_written_out(condition: str) -> None:
    node = parse_condition(condition)
    assert parse_condition(render(node)) == node


@QUICK
@given(st.text(st.sampled_from("abc.=!<>()[]\"'\\, \n\tinotandrx05%*"), max_size=60))
def test_junk_is_refused_with_a_sentence(text: str) -> None:
    try:
        parse_condition(text)
    except ConditionError as error:
        assert error.message and error.line >= 1 and error.column >= 1


@QUICK
@given(st.text(st.sampled_from("-:[]{}&*|>'\"# \nabcrulemaconditsp=%."), max_size=120))
def test_any_text_loads_or_says_why(text: str) -> None:
    for problem in load_texts([("junk.yaml", text)]).problems:
        assert problem.message and problem.place.line >= 1


WORDS = st.sampled_from(
    [
        "a",
        "l",
        "m",
        "R",
        "yes",
        "5",
        "proc.name",
        "in",
        "=",
        "append",
        "replace",
        "evt.type=open",
        "",
        "'a b'",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *(
            "rule",
            "macro",
            "list",
            "condition",
            "output",
            "desc",
            "priority",
            "source",
            "tags",
            "enabled",
            "items",
        ),
        *("exceptions", "append", "override", "capture_duration", "name", "fields", "comps", "values"),
        *("required_engine_version", "required_plugin_versions", "skip-if-unknown-filter"),
    ]
)
EXCEPTIONS = st.lists(
    st.dictionaries(st.sampled_from(["name", "fields", "comps", "values", "value"]), VALUES), max_size=2
)
ENTRIES = st.dictionaries(KEYS, VALUES, max_size=8) | st.fixed_dictionaries(
    {"rule": st.just("R"), "condition": WORDS, "output": WORDS, "desc": WORDS, "priority": st.just("INFO")},
    optional={"exceptions": EXCEPTIONS, "override": VALUES, "append": st.booleans(), "tags": VALUES},
)


@QUICK
@given(st.lists(ENTRIES, max_size=5))
def test_entries_of_any_shape_load_or_say_why(entries: list[dict[str, object]]) -> None:
    loaded = load_texts([("f.yaml", json.dumps(entries))], for_falco=True)
    for problem in loaded.problems:
        assert problem.message and problem.place.file == "f.yaml"
