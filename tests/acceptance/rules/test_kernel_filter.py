"""What the kernel keeps back: counted in the report, nothing of what rules ask for, nothing in a recorded scan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import npm_project, scan_json

READS = {"preinstall": "cat notes.txt .env.local < index.js > /dev/null; mkdir sub; mkdir sub; true"}
RULE = """
- rule: Notes read
  desc: A file that nothing else asks for was read.
  condition: evt.type = openat and fd.name endswith /notes.txt and evt.is_open_read = true
  output: Notes were read (file=%fd.name)
  priority: NOTICE
"""
STDIN = """
- rule: Started with the index as input
  desc: A program whose standard input is the project's own file, which no rule asks for when it is opened.
  condition: evt.type = execve and evt.rawres = 0 and proc.name = cat and proc.stdin.name endswith /index.js
  output: cat reads the index (%proc.stdin.name)
  priority: NOTICE
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    requires.needs_runc()
    requires.needs_btf()
    folder = npm_project(tmp_path / "p", "reader", READS)
    (folder / "notes.txt").write_text("x")
    return folder


def alerts(report: dict, rule: str) -> list[dict]:
    return [a for a in report["alerts"] if a["rule"] == rule]


def test_what_no_rule_asks_for_is_counted(project: Path, tmp_path: Path) -> None:
    rules = tmp_path / "stdin.yaml"
    rules.write_text(STDIN)
    report = scan_json(project, "--rules", rules, "--fail-on", "never", "--phases", "install")
    filtered = report["coverage"]["filtered"]
    assert filtered["openat"] > 0 and filtered["mkdir"] > 0 and filtered["read"] > 0
    assert [f["path"] for f in report["files"]["written"] if f["path"].endswith("/sub")]
    (told,) = alerts(report, "Started with the index as input")
    assert told["output_fields"]["proc.stdin.name"].endswith("/index.js")


def test_a_rule_that_asks_for_any_read_gets_it(project: Path, tmp_path: Path) -> None:
    rules = tmp_path / "notes.yaml"
    rules.write_text(RULE)
    report = scan_json(project, "--rules", rules, "--fail-on", "never", "--phases", "install")
    assert alerts(report, "Notes read")
    assert "openat" not in report["coverage"]["filtered"]


def test_a_recorded_scan_takes_everything(project: Path, tmp_path: Path) -> None:
    recording = tmp_path / "all.scap"
    report = scan_json(project, "--record", recording, "--fail-on", "never", "--phases", "install")
    assert report["coverage"]["filtered"] == {}
