"""`scan --baseline`: what was there before counts no more, unless it is proof."""

from __future__ import annotations

from dataclasses import replace

import jsonschema

from package_hunter.cli.baseline import against
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy import Policy, parse_policy
from package_hunter.report.text import render
from tests.support import judge_samples as samples

PROOF = samples.FINDING
LOOK = replace(PROOF, proof=False, severity="medium", kind="git_hook", fingerprint="ff" * 16)
OTHER = replace(LOOK, kind="download", fingerprint="ee" * 16, title="A script used a download tool")


def report(*findings: object) -> Report:
    return samples.report(findings=findings)


def test_known_findings_count_no_more() -> None:
    judged = against(report(LOOK), report(LOOK), Policy())
    assert (judged.verdict, judged.decision) == (Verdict.NO_FINDINGS, Decision.PASS)
    assert judged.findings[0].waived == "known: the baseline of 2026-11-23 has it too"


def test_new_findings_count() -> None:
    judged = against(report(LOOK, OTHER), report(LOOK), Policy())
    assert judged.verdict is Verdict.SUSPICIOUS
    assert judged.baseline is not None
    assert judged.baseline["new_findings"] == [OTHER.fingerprint]


def test_proof_counts_though_it_is_known() -> None:
    assert against(report(PROOF), report(PROOF), Policy()).decision is Decision.BLOCK


def test_the_policy_still_decides() -> None:
    strict = parse_policy('[verdicts]\nsuspicious = "block"\n')
    assert against(report(OTHER), report(), strict).decision is Decision.BLOCK


def test_another_projects_baseline_is_noticed() -> None:
    old = samples.report(target=replace(samples.report().target, name="other"))
    assert "The baseline is of another project: other." in against(report(), old, Policy()).notices


def test_it_is_part_of_the_report_and_shown() -> None:
    import json
    from importlib import resources

    old = samples.report(network=type(samples.NETWORK)(), findings=())
    judged = against(report(LOOK), old, Policy())
    data = to_json(judged)
    schema = json.loads(
        resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text()
    )
    jsonschema.Draft202012Validator(schema).validate(data)
    assert from_json(data).baseline == judged.baseline
    text = render(judged, color=False, width=100)
    assert "New since the baseline of 2026-11-23" in text
    assert "host collect.example" in text


def test_a_baseline_of_wrong_types_is_no_report() -> None:
    import pytest

    data = to_json(against(report(LOOK), report(), Policy()))
    for wrong in ([], {"id": 1}, {**data["baseline"], "new_hosts": [1]}, {**data["baseline"], "id": None}):
        with pytest.raises(ValueError, match="not a whole report"):
            from_json({**data, "baseline": wrong})


def test_the_projects_own_file_can_still_ask_for_more() -> None:
    own = '[verdicts]\nsuspicious = "block"\n'
    assert against(report(OTHER), report(), Policy(), own).decision is Decision.BLOCK
