"""Benches time functions by their names: each name is there, so that none measures nothing after a move."""

from __future__ import annotations

import importlib
from functools import reduce
from typing import Any

import pytest

from tests.bench.pipeline.bench_small import STEPS
from tests.support.requires import ROOT


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, name, _ in STEPS])
def test_each_step_that_is_timed_is_there(module: str, name: str) -> None:
    place: Any = importlib.import_module(module)
    assert callable(reduce(getattr, name.split("."), place)), (
        "mend STEPS in tests/bench/pipeline/bench_small.py"
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/bench").rglob("bench_*.py")), ids=lambda path: path.stem
)
def test_each_bench_can_be_imported(path: Any) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    assert callable(importlib.import_module(name).main)
