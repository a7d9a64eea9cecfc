"""diff OLD NEW: what is new, as text and JSON, and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from package_hunter.cli.main import build_app
from package_hunter.findings.compare import files
from package_hunter.model.observation import FileChange
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Verdict
from tests.support import judge_samples as samples

QUIET = samples.report(
    findings=(),
    files=(),
    network=type(samples.NETWORK)(),
    processes=(),
    verdict=Verdict.NO_FINDINGS,
    packages=(),
)


def test_names_on_the_way_to_a_files_place_are_no_news() -> None:
    place = "/home/dev/.config/tool"
    old, new = (
        samples.report(
            files=(
                FileChange(f"{place}.{made_up}", "created", 2, samples.T0),
                FileChange(f"{place}.{made_up}", "renamed", 2, samples.T0 + 1, place),
            )
        )
        for made_up in ("0EHdmF", "1IlJsJ")
    )
    assert files(old) == files(new) == {"~/.config/tool"}


def diff(tmp_path: Path, old: Report, new: Report, *more: str) -> tuple[int, str]:
    paths = []
    for name, report in (("old", old), ("new", new)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(to_json(report)))
        paths.append(str(path))
    result = CliRunner().invoke(build_app("diff"), ["diff", *paths, *more])
    return result.exit_code, result.stdout


def test_new_behaviour_is_shown_and_blocks(tmp_path: Path) -> None:
    code, out = diff(tmp_path, QUIET, samples.report())
    assert code == 1
    for needed in (
        "New findings",
        "CRITICAL",
        "collect.example",
        "paste.example",
        "~/.bashrc",
        "/usr/bin/wget",
    ):
        assert needed in out, needed


def test_same_behaviour_is_nothing_new(tmp_path: Path) -> None:
    code, out = diff(tmp_path, samples.report(), samples.report(id="another"))
    assert code == 0
    assert "No new behaviour was seen" in out


def test_update_with_the_same_finding_is_nothing_new(tmp_path: Path) -> None:
    newer = replace(samples.PACKAGE, purl="pkg:npm/maldep@2.0.0", version="2.0.0")
    code, out = diff(tmp_path, samples.report(), samples.report(packages=(newer,)))
    assert code == 0
    assert "maldep: 1.0.0 -> 2.0.0" in out


def test_gone_behaviour_is_shown(tmp_path: Path) -> None:
    code, out = diff(tmp_path, samples.report(), QUIET)
    assert code == 0
    assert "Findings that are gone" in out


def test_json(tmp_path: Path) -> None:
    code, out = diff(tmp_path, QUIET, samples.report(), "--format", "json", "--fail-on", "never")
    data = json.loads(out)
    assert (code, data["verdict"], data["decision"]) == (0, "malicious", "block")
    assert data["new_hosts"] == ["collect.example", "paste.example"]


def test_inconclusive_new_report(tmp_path: Path) -> None:
    assert diff(tmp_path, QUIET, replace(QUIET, verdict=Verdict.INCONCLUSIVE))[0] == 4


@pytest.mark.parametrize("content", ["", "{}", "[" * 5000, '{"schema_version": "9"}'])
def test_what_is_no_report_is_a_usage_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    result = CliRunner().invoke(build_app("diff"), ["diff", str(path), str(path)])
    assert result.exception is not None
    assert "holds no report" in str(result.exception)
