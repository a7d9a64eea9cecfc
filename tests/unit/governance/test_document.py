"""A document has one text and one digest, whatever form it was written in."""

from __future__ import annotations

import pytest

from package_hunter.errors import UsageError
from package_hunter.governance.document import canonical, digest_of, from_toml, policy_of

TOML = """
[[rule]]
decision = "block"
kind = "git_hook"
enforce_from = 2027-02-01

[[waiver]]
kind = "mining"
reason = "r"
author = "a"
expires = 2027-03-31
"""
JSON = {
    "waiver": [{"expires": "2027-03-31", "author": "a", "reason": "r", "kind": "mining"}],
    "rule": [{"enforce_from": "2027-02-01", "kind": "git_hook", "decision": "block"}],
}


def test_a_file_and_its_json_are_one_document() -> None:
    made = from_toml(TOML, "p.toml")
    assert made == JSON
    assert digest_of(made) == digest_of(JSON)
    assert policy_of(made, "p") == policy_of(JSON, "p")
    assert canonical(made).startswith('{"rule":[{"decision":"block"')
    assert digest_of(made) != digest_of({**JSON, "verdicts": {}})


@pytest.mark.parametrize(
    "document",
    [
        {"rule": "x"},
        {"rule": ["x"]},
        {"rule": [{"decision": "block", "kind": ["a"]}]},
        {"waiver": [{"kind": "a", "reason": "r", "author": "a", "expires": "31.3.2027"}]},
        {"waiver": [{"kind": "a", "reason": "r", "author": "a", "expires": 20270331}]},
        {"verdicts": {"inconclusive": "pass"}},
        {"rule": [{"decision": "block", "kind": "x" * 2_000}]},
        {"rule": [{"decision": "block", "kind": "x"}] * 60_000},
    ],
)
def test_what_is_no_policy_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        policy_of(document, "p")
