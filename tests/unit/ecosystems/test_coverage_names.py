"""Sentences about what was missed hold no name that nobody can read through."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Inventory, PlanOptions, stage
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.laying import plans
from package_hunter.model.scan import Command, CommandRun

LONG = "a" * 100_000


def test_packages_that_are_not_there() -> None:
    installed = Inventory(missing=("six", LONG), expected=2)
    found = coverage({}, PlanOptions(phases=()), installed, (), ())
    (reason,) = [text for text in found.reasons if "not installed" in text]
    assert "six, aaa" in reason and len(reason) < 500


def test_steps_that_failed() -> None:
    for phase, code in (("install", None), ("install", 97), ("import", 1), ("import", None)):
        command = Command(
            ("x",), "/p", blame_purl=f"pkg:pypi/{LONG}", script=f"import {LONG}", essential=False
        )
        run = CommandRun(phase, "default", command, 1, 0, 1, code)
        found = coverage({}, PlanOptions(), Inventory(), (run,), ())
        assert all(len(text) < 1_000 for text in (*found.reasons, *found.notes))


@pytest.mark.parametrize(
    "line", [f"./{LONG}", f"git+https://h.example/{LONG}", f"{LONG} @ https://h.example/x.zip"]
)
def test_requirements_that_no_registry_has(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    found = plans(stage("p", tmp_path), PlanOptions())[0].coverage(())
    assert found.reasons and all(len(text) < 1_500 for text in found.reasons)
