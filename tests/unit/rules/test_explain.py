"""A rule's condition as one sentence."""

from __future__ import annotations

import pytest

from package_hunter.rules import load_rules
from package_hunter.rules.explain import brief


def test_macros_stay_names_and_nesting_shows() -> None:
    rule = next(r for r in load_rules(()).rules if r.name == "Reverse shell command line")
    text = brief(rule, most=10_000)
    assert text.startswith("“started” and ((name of the process (proc.name) is one of “nc”")
    assert ") or (" in text
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("most", [60, 200])
def test_it_is_cut_at_a_word(most: int) -> None:
    for rule in load_rules(()).rules:
        text = brief(rule, most)
        assert len(text) <= most
        assert "\n" not in text
