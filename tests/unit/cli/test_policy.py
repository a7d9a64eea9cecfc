"""policy check and policy try."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from package_hunter.cli.main import build_app
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Decision, Verdict
from tests.support import judge_samples as samples

WAIVER = '[[waiver]]\nkind = "git_hook"\nreason = "ours"\nauthor = "ada"\nexpires = 2199-01-31\n'


def test_check_says_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(WAIVER + '[[rule]]\ndecision = "block"\nkind = "mining"\n')
    result = CliRunner().invoke(build_app("policy"), ["policy", "check", str(file)])
    assert result.exit_code == 0
    assert "1 rules, 1 waivers" in result.stdout
    assert "suspicious: review" in result.stdout


def test_try_on_a_report(tmp_path: Path) -> None:
    finding = replace(samples.FINDING, kind="git_hook", proof=False, severity="medium")
    report = samples.report(findings=(finding,), verdict=Verdict.SUSPICIOUS, decision=Decision.REVIEW)
    (tmp_path / "p.toml").write_text(WAIVER)
    (tmp_path / "r.json").write_text(json.dumps(to_json(report)))
    arguments = ["policy", "try", str(tmp_path / "p.toml"), str(tmp_path / "r.json")]
    result = CliRunner().invoke(build_app("policy"), arguments)
    assert result.exit_code == 0
    assert "suspicious/review -> no_findings/pass, 1 waived" in result.stdout


def test_check_as_a_projects_own_file(tmp_path: Path) -> None:
    file = tmp_path / "package-hunter.toml"
    file.write_text(WAIVER + '[verdicts]\nsuspicious = "block"\n')
    result = CliRunner().invoke(build_app("policy"), ["policy", "check", "--own", str(file)])
    assert result.exit_code == 0
    assert "  suspicious: block\n  It waives nothing that is proof" in result.stdout


def test_a_servers_policy_says_whose_own_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[project]\nown_file = true\nown_file_from = ["token:protected"]\n')
    result = CliRunner().invoke(build_app("policy"), ["policy", "check", str(file)])
    assert "in what these submit: token:protected" in result.stdout


def test_try_forgets_what_an_earlier_policy_waived(tmp_path: Path) -> None:
    finding = replace(samples.FINDING, proof=False, severity="medium", waived="accepted once")
    report = samples.report(findings=(finding,), verdict=Verdict.NO_FINDINGS, decision=Decision.PASS)
    (tmp_path / "p.toml").write_text("")
    (tmp_path / "r.json").write_text(json.dumps(to_json(report)))
    arguments = ["policy", "try", str(tmp_path / "p.toml"), str(tmp_path / "r.json")]
    result = CliRunner().invoke(build_app("policy"), arguments)
    assert "no_findings/pass -> suspicious/review, 0 waived" in result.stdout
