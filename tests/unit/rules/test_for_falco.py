"""Rule files that Falco 0.43 refuses are refused with its reason in our words; those that it takes load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.cli.main import main
from package_hunter.rules import builtin_files, check_rules, compile_matcher
from package_hunter.rules.collect import EntryCollection
from package_hunter.rules.document import read_items
from package_hunter.rules.falco_text import FalcoLists
from package_hunter.rules.load import load_texts
from package_hunter.rules.model import RuleSet
from package_hunter.rules.source import DictEvent, DictSource
from tests.support.falco_forms import (
    LIST,
    ON_PURPOSE,
    ONLY_FALCO,
    REFUSED,
    TAKEN,
    Form,
    change,
    exception,
    quoted,
    rule,
)
from tests.support.requires import needs_shared


def load(*texts: str, for_falco: bool = False) -> RuleSet:
    return load_texts([(f"f{n}.yaml", t) for n, t in enumerate(texts)], for_falco)


@pytest.mark.parametrize(("files", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("for_falco", [False, True], ids=["", "for falco"])
def test_refused_by_both(files: Form, reason: str, for_falco: bool) -> None:
    errors = load(*files, for_falco=for_falco).errors
    assert any(reason in e.message for e in errors), [str(e) for e in errors]
    assert all(e.advice and e.text and e.place.line >= 1 for e in errors)


@pytest.mark.parametrize(("files", "reason"), ONLY_FALCO.values(), ids=ONLY_FALCO)
def test_refused_by_falco_alone(files: Form, reason: str) -> None:
    assert load(*files).errors == []
    errors = load(*files, for_falco=True).errors
    assert [e.code for e in errors] == ["falco_refuses"]
    assert reason in errors[0].message and errors[0].advice


@pytest.mark.parametrize("files", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("for_falco", [False, True], ids=["", "for falco"])
def test_taken(files: Form, for_falco: bool) -> None:
    assert [str(e) for e in load(*files, for_falco=for_falco).errors] == []


@pytest.mark.parametrize("files", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_refused_on_purpose(files: Form) -> None:
    assert load(*files).errors


def test_our_rules_and_the_stock_rules_are_taken() -> None:
    assert check_rules(builtin_files(), for_falco=True).problems == []
    stock = sorted(needs_shared("falco-rules").glob("*.yaml"), key=lambda p: p.name != "falco_rules.yaml")
    assert check_rules([*stock, *builtin_files()], for_falco=True).errors == []


@pytest.mark.parametrize("name", ["k8s-formatting", "exc-value-typo", "exc-unquoted-eq", "folded-output"])
def test_forms_that_falco_takes(name: str) -> None:
    assert check_rules([needs_shared("cases/falco") / f"{name}.yaml"], for_falco=True).errors == []


def fires(ruleset: RuleSet, **event: str) -> bool:
    fields = {"evt.type": "open", **{k.replace("_", ".", 1): v for k, v in event.items()}}
    return bool(compile_matcher(ruleset, DictSource()).matches(DictEvent(fields, 1)))


def test_words_that_look_like_switches_stay_words() -> None:
    loaded = load("- list: l\n  items: [yes, off]\n" + quoted("proc.name in (l)"))
    assert fires(loaded, proc_name="yes") and fires(loaded, proc_name="off")
    assert not fires(loaded, proc_name="true")


def test_a_switch_in_quotes_switches() -> None:
    loaded = load(rule(more="  enabled: 'no'\n"))
    assert not loaded.rules[0].enabled


def test_append_takes_no_output() -> None:
    loaded = load(rule(), change("append: true", "condition: and proc.pid=1", "output: more"))
    assert loaded.rules[0].output == "o %proc.name"


def test_container_info_is_removed_and_told() -> None:
    loaded = load(rule(output="'a %container.info b'"))
    assert loaded.rules[0].output == "a  b"
    assert [p.code for p in loaded.problems if p.severity == "warning"] == ["deprecated_output"]


@pytest.mark.parametrize("output", ["'a %evt.dir b'", "'%tolower(evt.dir)'"])
def test_a_field_of_the_output_that_falco_warns_of_is_told(output: str) -> None:
    loaded = load(rule(output=output))
    assert [(p.severity, p.code) for p in loaded.problems] == [("warning", "deprecated_field")]
    assert len(loaded.rules) == 1


def test_a_rule_is_left_out_for_its_output() -> None:
    loaded = load(rule(output="'%no.field'", more="  skip-if-unknown-filter: true\n"))
    assert loaded.rules == [] and [p.code for p in loaded.problems] == ["skipped"]


@pytest.mark.parametrize(
    ("files", "codes"),
    [
        ((rule(more=exception("name: e", "fields: proc.name")),), ["no_values"]),
        (
            (rule(more=exception("name: e", "fields: proc.name", "value: [a]")),),
            ["unknown_key", "no_values"],
        ),
        (
            (
                rule(more=exception("name: e", "fields: proc.name", "values: [a]")),
                change("override: {exceptions: append}") + exception("name: e", "value: [b]"),
            ),
            ["unknown_key", "no_values"],
        ),
        (
            (
                rule(more=exception("name: e", "fields: proc.name")),
                change("override: {exceptions: append}") + exception("name: e", "values: [b]"),
            ),
            [],
        ),
        ((rule(more="  conditions: a\n"),), ["unknown_key"]),
    ],
)
def test_exceptions_that_do_nothing_are_told(files: Form, codes: list[str]) -> None:
    problems = load(*files).problems
    assert [p.code for p in problems] == codes
    assert all(p.severity == "warning" for p in problems)


def test_a_misspelt_key_is_guessed() -> None:
    (unknown,) = [p for p in load(rule(more="  tag: [a]\n")).problems if p.code == "unknown_key"]
    assert unknown.advice == "Did you mean tags?"


def test_lists_that_grow_without_end_are_refused() -> None:
    lists = "- list: l0\n  items: [a, b, c, d, e, f, g, h]\n"
    lists += "".join(f"- list: l{n}\n  items: [{', '.join([f'l{n - 1}'] * 8)}]\n" for n in range(1, 9))
    lists = "".join(f"- list: {w}" for w in reversed(lists.split("- list: ")[1:]))
    errors = load(lists + quoted("proc.name in (l8)"), for_falco=True).errors
    assert errors and all("large" in e.message or "longer" in e.message for e in errors)


def test_the_command_refuses_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(LIST + quoted("proc.name in l"))
    for arguments, code in (([], 0), (["--for", "falco"], 2), (["--for", "package-hunter"], 0)):
        with pytest.raises(SystemExit) as end:
            main(["rules", "check", str(path), "--format", "json", *arguments])
        assert (end.value.code or 0) == code
        assert json.loads(capsys.readouterr().out)["ok"] == (code == 0)


def test_all_conditions_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("package_hunter.rules.falco_text.MAX_ALL", 200)
    rules = "".join(quoted("proc.name in (l)").replace("rule: R", f"rule: R{n}") for n in range(10))
    errors = load(LIST + rules, for_falco=True).errors
    assert errors and all("too large for Falco" in e.message for e in errors)


@pytest.mark.parametrize(
    ("condition", "items", "made"),
    [
        ("proc.name in (l, c)", "[a, b c]", 'proc.name in ( a, "b c" , c)'),
        ("proc.name in (c, l)", "[]", "proc.name in (c  )"),
        ("proc.name in (l, c)", "[]", "proc.name in (   c)"),
        ("fd.name = /l and proc.name = l", "[a]", "fd.name = /l and proc.name = a "),
        ("l", "[a, b]", "a, b "),
    ],
)
def test_a_list_is_put_in_as_text(condition: str, items: str, made: str) -> None:
    collected = EntryCollection()
    for item in read_items(f"- list: l\n  items: {items}\n", "f.yaml"):
        collected.add(item)
    assert FalcoLists(collected.lists).put_into(condition) == made
