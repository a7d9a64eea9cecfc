"""What is signed, against the report, the policy and the recordings that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.bundle import Trust, verify
from package_hunter.bundle.checked import How
from package_hunter.bundle.errors import BadBundleError
from tests.support.bundle_samples import KEY, bundled, bundled_worlds, forged

OURS = Trust(keys=(KEY.public_key(),))


def _subject(statement: Any) -> None:
    statement["subject"] = [{"name": "react", "digest": {"sha256": "ef" * 32}}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_subject, "The subject that is signed is [('react'"),
        (lambda s: s["subject"][0]["digest"].update(sha512="00"), "The subject that is signed"),
        (lambda s: s["predicate"]["image"]["digest"].update(sha256="ef" * 32), "The image that is signed"),
        (lambda s: s["predicate"].pop("image"), "The image that is signed is None"),
        (lambda s: s["predicate"].update(day="2020-01-01"), "The day that is signed is 2020-01-01"),
        (lambda s: s["predicate"].update(day="2036-99-01"), "The day that is signed is 2036-99-01"),
        (lambda s: s["predicate"]["scan"].update(finished="2030-01-01T00:00:00Z"), "The scan (id, target"),
        (lambda s: s["predicate"]["scan"].update(target="react"), "The scan (id, target"),
        (lambda s: s["predicate"]["scan"].update(note="it is fine"), "The scan (id, target"),
        (lambda s: s["predicate"]["scan"].update(id="another"), "The scan (id, target"),
        (
            lambda s: s["predicate"]["recordings"][0]["annotations"].update(world="ci"),
            "The recordings (world",
        ),
        (
            lambda s: s["predicate"].update(verdict="no_findings", decision="pass"),
            "The verdict that is signed",
        ),
    ],
)
def test_what_differs_is_told(tmp_path: Path, change: Any, said: str) -> None:
    found = verify(forged(bundled(tmp_path), said=change), OURS)
    assert found.exit_code == 1
    assert any(said in line for line in found.differences), found.differences


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(shown=[{"x": 1}]), "The report's shown is not written as its own content says"),
        (lambda r: r["findings"][0].update(count="1"), "The report"),
        (lambda r: r["target"].update(more=1), "The report's target is not written as its own content says"),
    ],
)
def test_a_report_that_says_a_thing_in_two_ways(tmp_path: Path, change: Any, said: str) -> None:
    try:
        found = verify(forged(bundled(tmp_path), report=change), OURS)
    except BadBundleError:
        return  # no report at all
    assert any(said in line for line in found.differences), found.differences


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["recordings"].pop(0),
        lambda p: p["recordings"].reverse(),
        lambda p: p.update(report=p["policy"], policy=p["report"]),
        lambda p: p["rules"][0].update(name="rules/007.yaml"),
        lambda p: p["report"].update(name="key.pem"),
    ],
)
def test_files_under_other_names_are_no_bundle(tmp_path: Path, change: Any) -> None:
    with pytest.raises(BadBundleError, match="otherwise than a bundle does"):
        verify(forged(bundled_worlds(tmp_path), said=lambda s: change(s["predicate"])), OURS)


def test_what_another_version_added_is_named(tmp_path: Path) -> None:
    path = forged(
        bundled(tmp_path),
        report=lambda r: r.update(mood="good"),
        said=lambda s: s["predicate"].update(approved_by="everybody"),
    )
    found = verify(path, OURS)
    assert found.checked["signed predicate.approved_by"] is How.SIGNED
    assert found.checked["report.mood"] is How.SIGNED
    assert found.checked["signed program"] is How.SIGNED
