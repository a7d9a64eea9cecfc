"""Forms of changes and policies: what they say as documents, and that nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from package_hunter.api.errors import ApiError
from package_hunter.model.text import visible
from package_hunter.report.harmless import harmless
from package_hunter.web import changes
from package_hunter.web.page import Form
from package_hunter.web.policy_form import applied

HOSTILE = "<b>\u202e\x85\U000e0101" + "x" * 2_500


@pytest.mark.parametrize(
    ("kind", "form", "document"),
    [
        (
            "waiver",
            {"fingerprint": " ab ", "state": "accepted", "reason": "", "until": "2027-01-01"},
            {"fingerprint": "ab", "state": "accepted", "reason": None, "remark": "", "until": "2027-01-01"},
        ),
        (
            "required-scan",
            {"scan-0": "nightly", "projects-0": "web/*, ops", "depth-0": "", "scan-1": "", "projects-1": "x"},
            {"require": [{"scan": "nightly", "projects": ["web/*", "ops"]}]},
        ),
        (
            "approval-rights",
            {"account": "eve", "role": "x", "held": "no"},
            {"account": "eve", "role": "x", "held": False},
        ),
        (
            "approval-settings",
            {"approvals": "2", "days": "many", "kind-policy": "3", "kind-waiver": ""},
            {"approvals": 2, "days": "many", "kinds": {"policy": 3}},
        ),
        ("rule-set", {"name": "a", "rules": "- x\r\n- y\r\n"}, {"name": "a", "rules": "- x\n- y\n"}),
        ("policy", {"whole": '{"a": 1}'}, {"a": 1}),
    ],
)
def test_fields_are_a_document(kind: str, form: dict[str, str], document: Any) -> None:
    assert changes.document(kind, Form(form)) == document


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(ApiError):
        changes.document("policy", Form({"whole": text}))


def test_what_a_field_cannot_hold_is_shown_as_json_that_means_the_same() -> None:
    said = {"name": "team", "rules": f"- {HOSTILE}\n"}
    assert changes.has_form("rule-set", {"name": "team", "rules": "- ü\n\tz"})
    assert not changes.has_form("rule-set", said)
    assert not changes.has_form("waiver", {"more": 1})
    text = changes.as_json(said)
    assert json.loads(text) == said
    assert visible(text, keep="\n") == text


def _form_of(document: dict[str, Any], **more: str) -> Form:
    """As the page sends it back."""
    fields = {}
    for table in ("rule", "require", "schedule"):
        for number, row in enumerate(document.get(table, [])):
            for key, value in row.items():
                said = " ".join(value) if isinstance(value, list) else value
                fields[f"{table}-{number}-{key}"] = harmless(said, 2_000)
    for verdict, decision in document.get("verdicts", {}).items():
        fields[f"verdict-{verdict}"] = decision
    return Form(fields | more)


POLICY: dict[str, Any] = {
    "verdicts": {"suspicious": "block"},
    "rule": [{"name": HOSTILE, "decision": "block", "direct": True, "older_than": 0}],
    "require": [{"scan": "nightly", "projects": ["a b", *(f"web/{n}" for n in range(500))]}],
    "waiver": [{"kind": "mining"}],
}


def test_a_policy_that_is_sent_back_as_it_came_stays_as_it_is() -> None:
    assert applied(POLICY, _form_of(POLICY), narrow=True) == POLICY


def test_only_what_was_changed_in_a_policy_changes() -> None:
    new = {
        "rule-1-decision": "review",
        "rule-1-kind": "mining",
        "require-0-gone": "1",
        "rule-0-name": "short",
    }
    made = applied(POLICY, _form_of(POLICY, **new), narrow=True)
    assert made["rule"] == [POLICY["rule"][0] | {"name": "short"}, {"decision": "review", "kind": "mining"}]
    assert "require" not in made and made["waiver"] == POLICY["waiver"]
    own = applied({}, Form({"own_file": "1"}), narrow=False)
    assert own == {"project": {"own_file": True}} and applied(own, Form({}), narrow=False) == {}
