"""The sample report that a server warms up with: every part of a report is in it, every form takes it."""

from __future__ import annotations

import dataclasses

import pytest

from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.report import FORMATS
from package_hunter.report.sample import sample

_EMPTY = {
    "baseline",
    "cut",
    "error",
    "known_from",
    "targets",
}  # their presence changes words, not what is loaded


def test_every_part_is_filled() -> None:
    report = sample()
    empty = {f.name for f in dataclasses.fields(Report) if not getattr(report, f.name)}
    assert empty == _EMPTY
    for part in (report.network, report.canaries):
        assert [
            f.name for f in dataclasses.fields(part) if not getattr(part, f.name) and f.name != "cut"
        ] == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_takes_it(form: str) -> None:
    assert FORMATS[form](from_json(to_json(sample())))
