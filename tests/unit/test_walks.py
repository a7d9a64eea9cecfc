"""docs/architecture.md walks through functions that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.requires import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^\d+\. `([\w./]+):([\w.]+)`", PAGE, re.MULTILINE)


def test_there_are_five_walks() -> None:
    walks = PAGE.split("## Five walks")[1].split("\n## ")[0]
    assert len(re.findall(r"^\*\*.*\*\*$", walks, re.MULTILINE)) == 5
    assert len(STEPS) >= 40


@pytest.mark.parametrize(("file", "name"), STEPS)
def test_each_step_is_a_function(file: str, name: str) -> None:
    text = (ROOT / "src/package_hunter" / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        assert name in set(_functions(ast.parse(text)))
    else:
        assert re.search(rf"\b{re.escape(name)}\(", text)


def _functions(tree: ast.Module) -> list[str]:
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inner = (item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))
            found += [f"{node.name}.{item.name}" for item in inner]
    return found
