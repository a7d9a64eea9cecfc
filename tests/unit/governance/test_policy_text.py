"""A policy's document as a file's text and back, and what is wrong with a text, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.governance.document import from_toml
from package_hunter.governance.policy_text import check, source_of

WHOLE: dict[str, Any] = {
    "verdicts": {"suspicious": "block"},
    "project": {"own_file": True, "own_file_from": ["token:ci"]},
    "rule": [
        {
            "name": 'say "no"\\ ü\n\u202e',
            "decision": "block",
            "kind": "git_hook",
            "enforce_from": "2027-02-01",
        },
        {"decision": "pass", "package": "pkg:npm/*", "older_than": 30, "direct": False},
    ],
    "waiver": [{"kind": "mining", "reason": "2027-01-01", "author": "ada", "expires": "2027-03-31"}],
    "require": [{"scan": "merge_request", "projects": ["web/*", "ops"], "depth": "deep"}],
    "schedule": [{"name": "night", "cron": "0 3 * * 1", "targets": ["pkg:npm/left-pad"]}],
    "pipeline": [{"issuer": "https://gitlab.example", "definition": "a//b.yml@refs/heads/main"}],
}


@pytest.mark.parametrize("document", [WHOLE, {}, {"rule": []}, {"verdicts": {}}])
def test_a_document_survives_its_text(document: dict[str, Any]) -> None:
    assert from_toml(source_of(document), "policy") == document
    assert check(source_of(document), narrow=False) == (document, [])


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80).filter(str.strip))
def test_any_name_survives(name: str) -> None:
    document = {"rule": [{"name": name, "decision": "block"}]}
    assert from_toml(source_of(document), "policy") == document


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a = \n", [(1, 5)]),
        ("[verdicts]\n\nsuspicious = 'blck'", [(3, 1)]),
        ("[verdicts]\nsuspicious = 'block'\ninconclusive = 'pass'", [(3, 1)]),
        ("[[rule]]\ndecision = 'block'\n\n[[rule]]\nkind = 'x'\n  decision = 'blok'", [(6, 3)]),
        ("[[rule]]\ndecision = 'x'\n[[rule]]\n# fine\ndecision = 'pass'\nmod = 'log'", [(2, 1), (6, 1)]),
        ("[[waiver]]\nkind = 'x'\nreason = 'y'", [(1, 1)]),
        ("[[require]]\nscan = 'merge_requst'\n[[schedule]]\nname = 'n'\ncron = '* *'", [(2, 1), (5, 1)]),
        ("what = 1", [(1, 1)]),
        ("rule = [{decision = 'x'}, {decision = 'block'}, {decision = 'y'}]", [(1, 1), (1, 1)]),
        ("[[pipeline]]\nissuer = 'http://x'\ndefinition = 'a@b'", [(2, 1)]),
    ],
)
def test_each_error_has_its_place(text: str, places: list[tuple[int, int]]) -> None:
    document, problems = check(text, narrow=False)
    assert document is None
    assert [(problem.line, problem.column) for problem in problems] == places, problems
    assert all(problem.message for problem in problems)


def test_rows_are_told_by_their_number_and_what_is_for_all_is_refused_below() -> None:
    text = "[[rule]]\ndecision = 'pass'\n[[rule]]\ndecision = 'no'"
    assert check(text, narrow=False)[1][0].message.startswith("Rule 2: 'no' is not one of")
    assert check("[project]\nown_file = true", narrow=False)[1] == []
    assert check("[project]\nown_file = true", narrow=True)[1][0].line == 1


@pytest.mark.parametrize(
    "text", ["[" * 5_000, "x = " + "[" * 3_000, ".".join("a" * 200) + " = 1", "a" * 900_000]
)
def test_hostile_texts_are_answered(text: str) -> None:
    document, problems = check(text, narrow=False)
    assert document is None and problems
