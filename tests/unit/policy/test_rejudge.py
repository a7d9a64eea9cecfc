"""A report under the user's policy, and what the scanned project's own file may and may not do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.model.report import Report
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.policy import Policy, parse_policy
from package_hunter.policy.rejudge import MAX_OWN_WAIVERS, rejudge
from tests.support import judge_samples as samples

PROOF = samples.FINDING
LOOK = replace(PROOF, proof=False, severity="medium", kind="git_hook", fingerprint="ff" * 16)
ALL = '[[waiver]]\nkind = "*"\nreason = "trust us"\nauthor = "mallory"\nexpires = 2099-01-31\n'


def report(*findings: object) -> Report:
    return samples.report(findings=findings, verdict=Verdict.MALICIOUS)


def test_the_users_waiver_covers_even_proof() -> None:
    judged = rejudge(report(PROOF, LOOK), parse_policy(ALL))
    assert (judged.verdict, judged.decision) == (Verdict.NO_FINDINGS, Decision.PASS)
    assert judged.explanation[-1] == "2 waived and not counted."


def test_the_projects_own_waiver_never_covers_proof() -> None:
    judged = rejudge(report(PROOF, LOOK), own=ALL)
    assert [f.waived is not None for f in judged.findings] == [False, True]
    assert (judged.verdict, judged.decision) == (Verdict.MALICIOUS, Decision.BLOCK)
    assert "1 finding is waived by the project's own package-hunter.toml, which its authors write." in (
        judged.notices
    )


def test_the_projects_own_file_makes_nothing_milder() -> None:
    milder = '[verdicts]\nmalicious = "pass"\nsuspicious = "pass"\ninconclusive = "pass"\n'
    rules = '[[rule]]\ndecision = "pass"\nkind = "*"\n'
    assert rejudge(report(PROOF), own=milder + rules).decision is Decision.BLOCK
    assert rejudge(report(LOOK), own=milder + rules).decision is Decision.REVIEW


def test_the_projects_own_file_can_ask_for_more() -> None:
    assert rejudge(report(LOOK), own='[verdicts]\nsuspicious = "block"\n').decision is Decision.BLOCK
    own = '[[rule]]\ndecision = "block"\nkind = "git_hook"\n'
    assert rejudge(report(LOOK), own=own).decision is Decision.BLOCK


def test_an_own_file_raises_nothing_by_being_there() -> None:
    policy = parse_policy('[verdicts]\nsuspicious = "pass"\n')
    assert rejudge(report(LOOK), policy, own="").decision is Decision.PASS


@pytest.mark.parametrize(
    "own", ["no toml at all [", "[project]\nown_file = true\n", "x = 1\n", ALL * (MAX_OWN_WAIVERS + 1)]
)
def test_a_wrong_own_file_is_a_notice(own: str) -> None:
    judged = rejudge(report(LOOK), own=own)
    assert (judged.verdict, judged.decision) == (Verdict.SUSPICIOUS, Decision.REVIEW)
    assert any("was not used" in n for n in judged.notices)


def test_expired_and_unused_waivers_are_noticed() -> None:
    text = ALL.replace("2099", "2019") + ALL.replace('"*"', '"mining"')
    judged = rejudge(report(LOOK), parse_policy(text))
    assert any("expired on 2019-01-31" in n for n in judged.notices)
    assert any("matched nothing" in n for n in judged.notices)


def test_a_failed_scan_stays_failed() -> None:
    failed = samples.report(status=ScanStatus.FAILED, findings=(), error="Broken.")
    assert rejudge(failed, parse_policy(ALL), own=ALL) is failed


def test_judging_twice_changes_nothing_more() -> None:
    once = rejudge(report(PROOF, LOOK), Policy(), own=ALL)
    assert rejudge(once, Policy(), own=ALL) == once
