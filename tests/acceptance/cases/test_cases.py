"""Small inputs that once showed a fault are judged as `rows.toml` says. CI runs the samples, `make cases` all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.hunter import hunt
from tests.support.requires import needs_btf, needs_program, needs_registry, needs_runc, needs_shared

_VERDICTS = {"N": "no_findings", "S": "suspicious", "M": "malicious", "I": "inconclusive"}
_ALL = os.environ.get("PACKAGE_HUNTER_ALL_CASES") == "1"


def _rows() -> list[Any]:
    rows = [
        row
        for file in sorted(Path(__file__).parent.glob("rows*.toml"))
        for row in tomllib.loads(file.read_text())["row"]
    ]
    asked = [row for row in rows if _ALL or row.get("sample")]
    return [pytest.param(row, id="-".join([row["case"], *row.get("options", [])])) for row in asked]


@pytest.mark.parametrize("row", _rows())
def test_case(row: dict[str, Any], tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    needs_registry()
    if "needs" in row:
        needs_program(row["needs"])
    cases = needs_shared("cases")
    copy = tmp_path / Path(row["case"]).name
    command = [sys.executable, str(cases / "expand.py"), str(cases / row["case"]), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    target = copy / row.get("target", ".")
    out = [tmp_path / "report.json", tmp_path / "report.txt"]
    forms = ["--format", "json", "-o", out[0], "--format", "text", "-o", out[1]]
    done = hunt("scan", target, *row.get("options", []), *forms, timeout=280)
    if "exit" in row:
        assert done.returncode == row["exit"], done.stderr[-3000:]
        _words(row, done.stderr)
        return
    assert out[0].exists(), f"exit {done.returncode}\n{done.stderr[-3000:]}"
    _judged(row, json.loads(out[0].read_text()))
    _words(row, out[1].read_text())


def _judged(row: dict[str, Any], report: dict[str, Any]) -> None:
    reasons, findings = report["coverage"]["reasons"], report["findings"]
    told = [(f["kind"], f["severity"], f["title"], f["blame"]["package"]) for f in findings]
    assert report["verdict"] in [_VERDICTS[v] for v in row["verdict"]], (reasons, told)
    installed = report["coverage"]["packages"]["installed"]
    if "packages" in row:
        assert installed == row["packages"], reasons
    assert installed >= row.get("atleast", 0), reasons
    if report["verdict"] == "no_findings":
        assert installed >= row.get("packages_if_clean", 0), reasons
    purls = {package["purl"] for package in report["packages"]}
    assert not set(row.get("holds", ())) - purls, purls
    kinds = {f["kind"] for f in findings}
    assert not set(row.get("kinds", ())) - kinds, told
    assert not set(row.get("absent", ())) & kinds, told
    for finding in findings:
        if finding["kind"] in row.get("kinds", ()):
            assert row.get("blamed", "") in (finding["blame"]["package"] or "nobody"), told


def _words(row: dict[str, Any], text: str) -> None:
    plain = " ".join(text.split())
    for pattern in row.get("say", ()):
        assert re.search(pattern, plain), f"{pattern} is not said:\n{text}"
    for pattern in row.get("silent", ()):
        assert not re.search(pattern, plain), f"{pattern} is said:\n{text}"
