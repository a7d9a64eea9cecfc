"""Python projects that ask for nothing, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.errors import NothingToScanError


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[project\nname = 'x'\ndependencies = ['six']\n", "at line 1"),
        ("[project]\ndependencies = [" + "[" * 20_000, "nested too deep"),
        (".".join("a" * 1_000) + " = 1\n", "parts"),
        ("[project]\nname = 'x'\nname = 'y'\n", "at line 3"),
    ],
)
def test_a_broken_manifest_is_named_as_such(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(NothingToScanError, match=r"pyproject\.toml of .* is no sound TOML") as told:
        plans(stage("p", tmp_path), PlanOptions())
    assert why in str(told.value)
    (tmp_path / "package.json").write_text('{"name": "p"}')
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    assert any("no sound TOML" in why for why in plan.reasons), "beside another project: inconclusive"


def test_an_empty_one_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(NothingToScanError, match="asks for no package"):
        plans(stage("p", tmp_path), PlanOptions())
