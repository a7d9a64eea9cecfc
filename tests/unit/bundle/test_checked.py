"""That nothing which a bundle says falls between: each key has a row."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from package_hunter.bundle import Trust, checked, verify
from package_hunter.bundle.policy import FilePolicy, ServerPolicy
from package_hunter.bundle.statement import Predicate
from package_hunter.cli.verified import as_json, as_text
from package_hunter.model.forms.report import ReportForm
from package_hunter.pipeline.closing import SECTIONS
from tests.support.bundle_samples import KEY, bundled, content


def test_each_key_of_a_report_has_a_row() -> None:
    assert set(checked.REPORT) == {field.name for field in fields(ReportForm)}


def test_each_section_whose_digest_is_left_is_compared() -> None:
    assert {part.partition(".")[0] for part in checked.PARTS} == set(SECTIONS)


def test_each_key_that_is_signed_has_a_row() -> None:
    assert set(checked.STATEMENT) == set(Predicate.model_fields)


def test_each_key_of_a_policy_has_a_row() -> None:
    for form in (FilePolicy, ServerPolicy):
        name = form.model_fields["form"].default
        assert set(checked.POLICY[name]) == set(form.model_fields) - {"form", "day"}


def test_what_the_signature_alone_binds_is_told(tmp_path: Path) -> None:
    path = bundled(tmp_path)
    found = verify(path, Trust(keys=(KEY.public_key(),)))
    told = as_json(found)["checked"]
    assert told["signature"] == ["signed program"]
    for key in json.loads(content(path, "report.json")):
        assert any(name.startswith((f"report.{key}", "report.kept")) for one in told.values() for name in one)
    shown = as_text(found, False)
    (kept,) = [
        line for line in shown if line.startswith("Not checked by the replay, the same in the recording")
    ]
    assert all(
        name in kept for name in ("report.target;", "signed subject", "signed image", "report.coverage")
    )
    assert "Not checked by the replay, bound by the signature only: signed program." in shown
