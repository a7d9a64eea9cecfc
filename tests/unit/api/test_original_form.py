"""Reports in the original's form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.api.original_form import answer, clock, results
from package_hunter.model.times import from_rfc3339, rfc3339
from tests.support.service_fake import RULE, report_json

ID = "633414e2-24f2-412a-811f-c37131ff2c61"


def finding(**more: Any) -> dict[str, Any]:
    return {
        "fingerprint": "f",
        "kind": "exfiltration",
        "severity": "critical",
        "title": "maldep sent the fake AWS key to drop.example",
        "blame": {"package": "pkg:npm/maldep@1.0.0", "cmdline": "node x.js"},
        "evidence": [
            {"time": "2021-11-19T16:35:17.000000001Z", "what": "the key left in a DNS name", "data": {}}
        ],
        **more,
    }


@pytest.mark.parametrize("status", ["pending", "running"])
def test_pending(status: str) -> None:
    assert answer(ID, status, None, None) == {"id": ID, "status": "pending", "result": []}


@pytest.mark.parametrize("verdict", ["malicious", "suspicious", "no_findings"])
def test_finished(verdict: str) -> None:
    found = answer(ID, "finished", None, report_json(ID, verdict, 2))
    assert (found["status"], len(found["result"])) == ("finished", 2)
    assert "reason" not in found


def test_inconclusive_is_failed_yet_shows_what_was_seen() -> None:
    found = answer(ID, "finished", "Events were lost.", report_json(ID, "inconclusive", 1))
    assert (found["status"], found["reason"], len(found["result"])) == ("failed", "Events were lost.", 1)


def test_a_finished_scan_without_its_report_is_no_all_clear() -> None:
    assert answer(ID, "finished", None, None)["status"] == "failed"


def test_failed_always_has_a_reason() -> None:
    assert answer(ID, "failed", None, None)["reason"]


def test_a_finding_that_no_rule_raised_is_an_alert() -> None:
    report = {**report_json(ID, "malicious", 1), "findings": [finding()]}
    alert, found = results(ID, report)
    assert alert["rule"] == RULE
    assert set(found) == set(alert)
    assert found["priority"] == "CRITICAL"
    assert found["time"] == {"seconds": "1637339717", "nanos": 1}
    assert found["output"].startswith("16:35:17.000000001: Critical maldep sent")
    assert found["hostname"] == "host.example"
    assert found["output_fields"]["container.name"] == f"some-container-{ID}.tgz"
    assert found["output_fields"]["container.id"] == "c62400ffae4a"
    assert found["output_fields"]["proc.cmdline"] == "node x.js"


def test_a_finding_that_a_rule_raised_is_not_told_twice() -> None:
    evidence = [{"time": "2021-11-19T16:35:17.000000001Z", "what": "w", "data": {"rule": RULE}}]
    report = {**report_json(ID, "suspicious", 1), "findings": [finding(evidence=evidence)]}
    assert len(results(ID, report)) == 1


def test_a_finding_without_evidence_or_blame() -> None:
    report = {**report_json(ID, "suspicious"), "findings": [finding(evidence=[], blame=None, severity="odd")]}
    (found,) = results(ID, report)
    assert found["priority"] == "WARNING"
    assert found["output_fields"]["proc.cmdline"] == "<NA>"


_VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)


@given(st.dictionaries(st.text(), _VALUES), st.text(), st.text())
def test_any_fields_become_strings(fields: dict[str, Any], output: str, cmdline: str) -> None:
    report = report_json(ID, "malicious", 1)
    report["alerts"] = [
        {**report["alerts"][0], "output_fields": fields, "output": output, "blame": {"cmdline": cmdline}}
    ]
    (found,) = results(ID, report)
    assert all(isinstance(v, str) for v in found["output_fields"].values())
    assert ID in found["output_fields"]["container.name"]
    json.dumps(found)


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999_999))
def test_times_keep_every_nanosecond(seconds: int, nanos: int) -> None:
    assert from_rfc3339(rfc3339(seconds * 1_000_000_000 + nanos)) == seconds * 1_000_000_000 + nanos


def test_times_without_fraction() -> None:
    assert from_rfc3339("1970-01-01T00:00:01Z") == 1_000_000_000
    assert clock(1637339716457772674) == "16:35:16.457772674"
