"""docs/threat-model.md: each claim names tests, and each of those is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.requires import ROOT

PAGE = ROOT / "docs/threat-model.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def claims(text: str) -> list[tuple[str, str]]:
    """Each row between the marks: the claim, and what stands in its column of tests."""
    part = text.split("<!-- claims;")[1].split("<!-- /claims -->")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [(row[0].strip(), row[-1].strip()) for row in rows if row[0].strip(" -") not in ("", "claim")]


@cache
def functions(file: Path) -> frozenset[str]:
    """Names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(named: str, root: Path) -> list[str]:
    """What a row names and is not there; a row that names nothing lacks everything."""
    found = _NAMED.findall(named)
    if not found:
        return ["a test"]
    return [
        f"{file}::{name}"
        for file, name in found
        if not (root / file).is_file() or (name and name not in functions(root / file))
    ]


@pytest.mark.parametrize(("claim", "named"), claims(PAGE.read_text(encoding="utf-8")))
def test_each_claim_is_held_by_tests_that_are_there(claim: str, named: str) -> None:
    assert missing(named, ROOT) == [], claim


def test_every_part_has_claims() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(claims(text)) > 30
    parts = text.split("<!-- claims;")[1].split("<!-- /claims -->")[0].split("\n### ")[1:]
    assert [
        part.splitlines()[0] for part in parts if "\n| " not in part.replace("| claim | test |", "")
    ] == []


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("`tests/unit/test_a.py::test_one`", []),
        ("`tests/unit/test_a.py`, `tests/unit/test_a.py::test_one`", []),
        ("`tests/unit/test_a.py::test_two`", ["tests/unit/test_a.py::test_two"]),
        ("`tests/unit/test_gone.py`", ["tests/unit/test_gone.py::"]),
        ("the kernel", ["a test"]),
    ],
)
def test_a_test_that_is_gone_is_seen(tmp_path: Path, named: str, found: list[str]) -> None:
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "tests/unit/test_a.py").write_text("def test_one(): ...\n", encoding="utf-8")
    assert missing(named, tmp_path) == found
