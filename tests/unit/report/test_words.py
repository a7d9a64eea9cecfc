"""Sentences that several forms share."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.model.depth import DepthName
from package_hunter.report import words
from package_hunter.report.sample import sample


def test_a_report_says_how_far_it_looked_and_what_would_have_looked_further() -> None:
    quick = words.depth(sample())
    assert quick is not None and quick.startswith(
        "Depth quick: --depth standard would also load every submodule"
    )
    assert "; --depth deep would also" in quick
    assert words.depth(replace(sample(), depth=DepthName.DEEP)) == "Depth deep."
    assert words.depth(replace(sample(), depth=None)) is None, "a recording, or a report of before"
