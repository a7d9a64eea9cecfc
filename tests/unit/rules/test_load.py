"""Rule files: what loads, what changes what, what is refused and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from package_hunter.errors import RuleFileError
from package_hunter.rules import builtin_files, compile_matcher, load_rules
from package_hunter.rules.load import load_texts
from package_hunter.rules.model import RuleSet
from package_hunter.rules.source import DictEvent, DictSource
from package_hunter.rules.testing import run_tests

RULE = """
- rule: R
  desc: d
  condition: {condition}
  output: o %proc.name
  priority: WARNING
"""


def rule(condition: str, more: str = "") -> str:
    return RULE.replace("{condition}", condition) + more


def load(*texts: str) -> RuleSet:
    return load_texts([(f"f{n}.yaml", t) for n, t in enumerate(texts)])


def fires(ruleset: RuleSet, **event: Any) -> list[str]:
    assert [str(p) for p in ruleset.errors] == []
    fields = {k.replace("_", ".", 1): v for k, v in event.items()}
    given = DictEvent({"evt.type": "openat", **fields}, 1)
    return [r.name for r in compile_matcher(ruleset, DictSource()).matches(given)]


def codes(ruleset: RuleSet) -> list[str]:
    return [p.code for p in ruleset.problems]


def test_lists_replace_names_also_when_defined_later() -> None:
    assert fires(
        load(rule("evt.type=openat and proc.name in (l)", "- list: l\n  items: [cat]\n")), proc_name="cat"
    )
    assert fires(
        load(rule("evt.type=openat and proc.name = l", "- list: l\n  items: [cat]\n")), proc_name="cat"
    )


def test_a_macro_needs_its_parts_before_it_a_rule_does_not() -> None:
    late = "- macro: a\n  condition: b\n- macro: b\n  condition: proc.name=cat\n"
    assert "unknown_macro" in codes(load(late + rule("evt.type=openat and a")))
    early = rule("evt.type=openat and m") + "- macro: m\n  condition: proc.name=cat\n"
    assert fires(load(early), proc_name="cat")


def test_a_macro_is_one_operand() -> None:
    text = "- macro: m\n  condition: proc.name=a or proc.name=b\n" + rule("evt.type=openat and not m")
    assert not fires(load(text), proc_name="b")
    assert fires(load(text), proc_name="c")


def test_appended_text_joins_before_it_is_read() -> None:
    base = "- macro: m\n  condition: proc.name=a or proc.name=b\n"
    more = "- macro: m\n  condition: and proc.pid=1\n  override: {condition: append}\n"
    loaded = load(base, more + rule("evt.type=openat and m"))
    assert fires(loaded, proc_name="a", proc_pid=2)
    assert not fires(loaded, proc_name="b", proc_pid=2)


def test_macro_loop_is_an_error() -> None:
    text = "- macro: a\n  condition: proc.name=x\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n"
    assert "loop" in codes(load(text + rule("evt.type=openat and a")))


def test_override_every_key() -> None:
    change = """
- rule: R
  condition: and proc.pid=1
  output: more
  desc: more
  tags: [b]
  priority: ERROR
  enabled: false
  override:
    {condition: append, output: append, desc: append, tags: append, priority: replace, enabled: replace}
"""
    loaded = load(rule("evt.type=openat"), change)
    changed = loaded.rule("R")
    assert changed is not None and not loaded.errors
    assert changed.condition == "evt.type=openat and proc.pid=1"
    assert changed.output == "o %proc.name more"
    assert (changed.priority, changed.enabled, changed.tags) == ("Error", False, ("b",))


def test_override_replaces_condition() -> None:
    change = "- rule: R\n  condition: evt.type=openat and proc.name=dog\n  override: {condition: replace}\n"
    loaded = load(rule("evt.type=openat and proc.name=cat"), change)
    assert fires(loaded, proc_name="dog") and not fires(loaded, proc_name="cat")


@pytest.mark.parametrize(
    "change",
    [
        "- rule: R\n  condition: evt.type=openat\n  override: {condition: both}\n",
        "- rule: R\n  priority: INFO\n  override: {priority: append}\n",
        "- rule: R\n  desc: x\n  condition: a\n  override: {desc: append}\n",
        "- rule: R\n  override: {desc: append}\n",
        "- rule: Other\n  desc: x\n  override: {desc: append}\n",
        "- rule: R\n  condition: x\n  append: true\n  override: {condition: append}\n",
        "- rule: R\n  tags: [a]\n  append: true\n",
        "- macro: nosuch\n  condition: and x\n  append: true\n",
        "- list: nosuch\n  items: [a]\n  append: true\n",
    ],
)
def test_bad_changes_are_errors(change: str) -> None:
    assert load(rule("evt.type=openat"), change).errors


def test_deprecated_append_works_and_warns() -> None:
    change = "- rule: R\n  condition: and proc.name=cat\n  append: true\n"
    loaded = load(rule("evt.type=openat"), change)
    assert fires(loaded, proc_name="cat") and not fires(loaded, proc_name="dog")
    assert "deprecated_append" in codes(loaded)


def test_enabled_alone_switches() -> None:
    assert not fires(load(rule("evt.type=openat"), "- rule: R\n  enabled: false\n"))


@pytest.mark.parametrize(
    ("exception", "stopped", "passed"),
    [
        ("fields: proc.name\n      values: [cat, dog]", {"proc_name": "dog"}, {"proc_name": "x"}),
        (
            "fields: proc.name\n      comps: pmatch\n      values: [/a]",
            {"proc_name": "/a/b"},
            {"proc_name": "/ab"},
        ),
        (
            "fields: [proc.name, fd.name]\n      values: [[cat, /x], [dog, /y]]",
            {"proc_name": "dog", "fd_name": "/y"},
            {"proc_name": "dog", "fd_name": "/x"},
        ),
        (
            "fields: [proc.name, fd.name]\n      comps: [in, startswith]\n      values: [[[cat, dog], /y]]",
            {"proc_name": "dog", "fd_name": "/yy"},
            {"proc_name": "x", "fd_name": "/yy"},
        ),
        (
            "fields: [proc.name]\n      comps: [in]\n      values: [['(cat, dog)']]",
            {"proc_name": "dog"},
            {"proc_name": "x"},
        ),
        ("fields: [proc.name]\n      values: [[a b]]", {"proc_name": "a b"}, {"proc_name": "a"}),
    ],
)
def test_exceptions(exception: str, stopped: dict[str, str], passed: dict[str, str]) -> None:
    text = rule("evt.type=openat", f"  exceptions:\n    - name: e\n      {exception}\n")
    assert not fires(load(text), **stopped)
    assert fires(load(text), **passed)


@pytest.mark.parametrize(
    "exception",
    [
        "fields: proc.name\n      comps: startswith\n      values: [a]",
        "fields: [proc.name, fd.name]\n      comps: [=]\n      values: [[a, b]]",
        "fields: [proc.name, fd.name]\n      values: [[a]]",
        "fields: [no.field]\n      values: [[a]]",
        "fields: [proc.name]\n      comps: [like]\n      values: [[a]]",
        "values: [a]",
    ],
)
def test_bad_exceptions_are_errors(exception: str) -> None:
    assert load(rule("evt.type=openat", f"  exceptions:\n    - name: e\n      {exception}\n")).errors


def test_exception_values_appended_later() -> None:
    base = rule(
        "evt.type=openat", "  exceptions:\n    - name: e\n      fields: proc.name\n      values: [a]\n"
    )
    more = "- rule: R\n  exceptions:\n    - name: e\n      values: [b]\n  override: {exceptions: append}\n"
    loaded = load(base, more)
    assert not fires(loaded, proc_name="a") and not fires(loaded, proc_name="b")
    assert fires(loaded, proc_name="c")


def test_places_of_problems() -> None:
    text = "- list: l\n  items: [a]\n" + rule("evt.type=openat and and proc.name=x")
    (error,) = load(text).errors
    assert (error.place.file, error.place.line, error.place.column) == ("f0.yaml", 6, 38)
    assert error.code == "syntax"


@pytest.mark.parametrize("mark", [">", ">-", "|"])
def test_places_in_folded_conditions(mark: str) -> None:
    text = f"- macro: m\n  condition: {mark}\n    proc.name = a and\n    proc.pname ~ b\n"
    (error,) = load(text).errors
    assert (error.place.line, error.place.column) == (4, 16)


def test_a_duplicate_key_counts_the_first_time() -> None:
    loaded = load(
        "- macro: m\n  condition: proc.name=a\n  condition: proc.name=b\n" + rule("evt.type=openat and m")
    )
    assert fires(loaded, proc_name="a") and not fires(loaded, proc_name="b")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- macro: m\n  condition: proc.name=a\n", "unused_macro"),
        ("- list: l\n  items: [a]\n", "unused_list"),
        ("- macro: m\n  condition: no.field=a\n", "unknown_field"),
        ("- something: else\n", "unknown_item"),
        (rule("proc.name=x"), "no_event_types"),
        (rule("evt.type=openat and evt.type=close"), "never_true"),
        (rule("evt.type=openat", "  source: k8s_audit\n"), "source"),
        (rule("evt.type=openat and evt.latency > 1"), "unsupported_field"),
        (rule("evt.type=openat and no.field=1", "  skip-if-unknown-filter: true\n"), "skipped"),
        (rule("evt.type=openat and proc.env[X] exists"), "falco_differs"),
        (rule("evt.dir=< and evt.type=openat"), "deprecated_field"),
    ],
)
def test_warnings(text: str, code: str) -> None:
    loaded = load(text)
    assert not loaded.errors
    assert code in codes(loaded)
    told_in_full(loaded)


def told_in_full(ruleset: RuleSet) -> None:
    """Each problem says where, what, about which text, and what to do."""
    for problem in ruleset.problems:
        assert problem.place.file and problem.place.line >= 1 and problem.place.column >= 1
        assert problem.message.endswith(".") and problem.advice and problem.text, problem


def two(first: str, second: str) -> RuleSet:
    return load(rule(first).replace("rule: R", "rule: A"), rule(second).replace("rule: R", "rule: B"))


@pytest.mark.parametrize(
    "condition",
    [
        "evt.type=openat and proc.name=a and proc.name=b",
        "evt.type=openat and proc.name in (a, b) and proc.name=c",
        "evt.type=openat and proc.name=a and not proc.name in (a, b)",
        "evt.type=openat and proc.name=a and proc.name!=a",
        "evt.type=openat and proc.name=a and not proc.name=a",
        "evt.type=openat and (proc.name=a and proc.name=b or fd.num=1 and fd.num=2)",
        "evt.type=openat and fd.num=1 and not (fd.num=1 or proc.name=x)",
        "evt.type=openat and evt.num=0",
        "evt.type=openat and evt.is_open_read=true and evt.is_open_read=false",
        "evt.type=openat and fd.num > 5 and fd.num < 5",
        "evt.type=openat and fd.num = 3 and fd.num >= 4",
        "evt.type=open and evt.type=close",
    ],
)
def test_conditions_that_never_hold_are_told(condition: str) -> None:
    assert "never_true" in codes(load(rule(condition)))


@pytest.mark.parametrize(
    "condition",
    [
        "evt.type=openat and (proc.name=a or proc.name=b)",
        "evt.type=openat and proc.aname=a and proc.aname=b",
        "evt.type=connect and fd.port=1 and fd.port=2",
        "evt.type=openat and proc.name in (a, b) and not proc.name=a",
        "evt.type=openat and fd.num >= 5 and fd.num <= 5",
        "evt.type=openat and (proc.name=a and proc.name=b or fd.num=1)",
        "evt.type=openat and proc.name startswith a and proc.name endswith b",
    ],
)
def test_conditions_that_can_hold_are_not(condition: str) -> None:
    assert "never_true" not in codes(load(rule(condition)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("evt.type=openat and proc.name=a", "evt.type=openat and proc.name=a"),
        ("evt.type=openat and proc.name=a", "evt.type=openat and proc.name=a and fd.num>5"),
        ("evt.type in (open, openat) and proc.name in (a, b)", "evt.type=openat and proc.name=b"),
        ("evt.type=openat and (proc.name=a or fd.num=1)", "evt.type=openat and fd.num=1 and user.uid=0"),
        ("evt.type=openat and not proc.name in (a)", "evt.type=openat and not proc.name in (a, b)"),
    ],
)
def test_a_rule_that_an_earlier_one_hides_is_told(first: str, second: str) -> None:
    loaded = two(first, second)
    hidden = [p for p in loaded.problems if p.code == "shadowed"]
    assert len(hidden) == 1
    assert "'A' (f0.yaml:2:" in hidden[0].message and hidden[0].place.file == "f1.yaml"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("evt.type=openat and proc.name=a and fd.num>5", "evt.type=openat and proc.name=a"),
        ("evt.type=openat and proc.name=a", "evt.type in (open, openat) and proc.name=a"),
        ("evt.type=openat and proc.name=a", "evt.type=openat and proc.name in (a, b)"),
        ("evt.type=openat and not proc.name in (a, b)", "evt.type=openat and not proc.name in (a)"),
        ("evt.type=openat and proc.aname in (a, b)", "evt.type=openat and proc.aname=a or evt.type=open"),
    ],
)
def test_a_rule_of_its_own_is_not(first: str, second: str) -> None:
    assert "shadowed" not in codes(two(first, second))


def test_a_rule_that_is_switched_off_hides_none() -> None:
    off = rule("evt.type=openat", "  enabled: false\n").replace("rule: R", "rule: A")
    assert "shadowed" not in codes(load(off, rule("evt.type=openat and proc.name=a")))


def test_many_rules_are_compared_within_bounds() -> None:
    text = "".join(
        rule(f"evt.type=openat and fd.num={n}").replace("rule: R", f"rule: R{n}") for n in range(400)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("package_hunter.rules.overlap.MAX_COMPARISONS", 1000)
        assert "shadowed" not in codes(load(text))
    assert "shadowed" not in codes(load(text))


def test_our_rules_can_all_match_and_hide_none() -> None:
    assert [p for p in load_rules().problems if p.code in ("shadowed", "never_true")] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- macro: m\n  condition: proc.name=\n", "syntax"),
        ("- rule: R\n  condition: evt.type=open\n  output: o\n  priority: INFO\n", "missing"),
        (rule("evt.type=openat").replace("WARNING", "GRAVE"), "priority"),
        (rule("evt.type=openat").replace("o %proc.name", "100%%"), "output"),
        (rule("evt.type=openat").replace("o %proc.name", "'%no.field'"), "output"),
        (rule("evt.type=openat").replace("o %proc.name", "'%fd.ip'"), "output"),
        ("- required_engine_version: 99.0.0\n", "engine_version"),
        ("- required_engine_version: x\n", "engine_version"),
        ("- required_plugin_versions: [a]\n", "plugin_versions"),
        ("key: value\n", "yaml"),
        ("- [\n", "yaml"),
        ("- a\n", "yaml"),
        ("[" * 1000, "yaml"),
    ],
)
def test_errors(text: str, code: str) -> None:
    loaded = load(text)
    assert code in [p.code for p in loaded.errors]
    told_in_full(loaded)


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("evt.type=openat and proc.nam=x", "Did you mean proc.name?"),
        ("evt.type=opennat", "Did you mean openat?"),
        ("evt.type=openat and near_myss", "Did you mean near_miss?"),
        ("evt.type=openat and zzzz", "Define the macro, or write a comparison if a field is meant."),
    ],
)
def test_a_misspelt_name_is_guessed(condition: str, advice: str) -> None:
    loaded = load("- macro: near_miss\n  condition: fd.num=1\n", rule(condition))
    assert advice in [p.advice for p in loaded.errors]


def test_engine_versions_that_fit() -> None:
    fits = "- required_engine_version: 26\n- required_engine_version: 0.57.0\n"
    plugin = "- required_plugin_versions: [{name: container, version: 0.2.0}]\n"
    assert not load(fits + plugin).errors


def test_aliases_do_not_explode() -> None:
    bomb = "- list: l0\n  items: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"- list: l{n}\n  items: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert load(bomb).errors


def test_lists_of_lists_do_not_explode() -> None:
    text = "- list: l0\n  items: [a, b, c, d, e, f, g, h, i, j]\n"
    text += "".join(f"- list: l{n}\n  items: [{', '.join([f'l{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert "too_large" in codes(load(text))


def test_macros_of_macros_do_not_explode() -> None:
    text = "- macro: m0\n  condition: proc.name=a\n"
    text += "".join(
        f"- macro: m{n}\n  condition: (m{n - 1} and proc.pid={n}) or (m{n - 1} and proc.ppid={n})\n"
        for n in range(1, 40)
    )
    assert "too_large" in codes(load(text + rule("evt.type=openat and m39")))


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="cannot be read"):
        load_rules([tmp_path / "none.yaml"], builtin=False)


def untested(path: Path, ruleset: RuleSet) -> dict[str, list[str]]:
    """Rule -> which of ``matches`` and ``passes`` the test file lacks for it."""
    have: dict[str, set[str]] = {}
    for item in yaml.safe_load(path.read_text()):
        if "rule" in item:
            have.setdefault(item["rule"], set()).update(k for k in ("matches", "passes") if item.get(k))
    wanted = ("matches", "passes")
    lacking = {r.name: [k for k in wanted if k not in have.get(r.name, ())] for r in ruleset.rules}
    return {name: kinds for name, kinds in lacking.items() if kinds}


def test_our_rules_pass_their_tests_and_each_has_both_kinds() -> None:
    ruleset = load_rules()
    assert ruleset.problems == []
    for path in builtin_files():
        tests = path.with_suffix(".test.yaml")
        assert [o for o in run_tests(tests, ruleset) if o.why] == []
        assert untested(tests, ruleset) == {}


def test_our_rules_carry_kind_class_and_technique() -> None:
    for mine in load_rules().rules:
        assert sum(t.startswith("kind:") for t in mine.tags) == 1, mine.name
        assert len({"proof", "suspicious", "info"} & set(mine.tags)) == 1, mine.name
        assert any(t.startswith("T1") for t in mine.tags), mine.name
