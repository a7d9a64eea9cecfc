"""The table of waits in docs/sandbox.md is whole and true."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src/package_hunter"
_TABLE = re.compile(r"<!-- waits.*?-->\n(.*?)<!-- /waits -->", re.S)
_ROW = re.compile(r"^\| .* \| ([\d.]+) \| `([\w.]+)` \|$", re.M)
_CONSTANT = re.compile(r"^(\w*_SECONDS) = ", re.M)
# a number of seconds where none has a name
_BARE = re.compile(r"(?:timeout\w*=|timeout\(|sleep\(|settimeout\()\s*\d")
_AGES = {
    "decoy.registry.front._FRESH_SECONDS",
    "decoy.registry.patience._DOWN_SECONDS",
    "pipeline.early_start._FRESH_SECONDS",
}  # of what is known, no waits


def listed() -> dict[str, float]:
    text = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    table = _TABLE.search(text)
    assert table
    return {name: float(seconds) for seconds, name in _ROW.findall(table[1])}


def sources() -> list[Path]:
    folders = ("decoy", "sandbox", "pipeline", "observe")
    found = [path for folder in folders for path in (SOURCE / folder).rglob("*.py")]
    return [path for path in found if not path.is_relative_to(SOURCE / "sandbox/image")]  # no part of a scan


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


@pytest.mark.parametrize(("name", "seconds"), sorted(listed().items()))
def test_each_length_is_the_codes(name: str, seconds: float) -> None:
    module, _, attribute = name.rpartition(".")
    try:
        value = getattr(importlib.import_module(f"package_hunter.{module}"), attribute)
    except ModuleNotFoundError:  # a field of a class, which has its default
        module, _, owner = module.rpartition(".")
        made = getattr(importlib.import_module(f"package_hunter.{module}"), owner)
        fields = getattr(made, "model_fields", None) or made.__dataclass_fields__
        value = fields[attribute].default
    assert value == seconds


def test_each_wait_of_the_code_is_listed() -> None:
    named = {
        f"{module_of(path)}.{name}"
        for path in sources()
        for name in _CONSTANT.findall(path.read_text(encoding="utf-8"))
    }
    assert named - _AGES <= set(listed())


def test_no_wait_is_without_a_name() -> None:
    bare = {
        f"{module_of(path)}: {line.strip()}"
        for path in sources()
        for line in path.read_text(encoding="utf-8").splitlines()
        if _BARE.search(line) and "{name}" not in line  # what a decoy's own program waits, in the box
    }
    assert bare == set()
