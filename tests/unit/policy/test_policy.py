"""Policies: decisions, waivers that expire, files that are wrong, exit codes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.errors import UsageError
from package_hunter.model.finding import Evidence
from package_hunter.model.scan import Decision, FailOn, Package, Verdict
from package_hunter.policy import apply_waivers, decide, exit_code, load_policy, parse_policy
from tests.support import judge_samples as samples

DAY = dt.date(2026, 11, 23)
LOOK = replace(samples.FINDING, proof=False, severity="medium", kind="git_hook")
WAIVER = '[[waiver]]\nreason = "known tool"\nauthor = "ada"\nexpires = 2027-01-31\n'


@pytest.mark.parametrize(
    ("verdict", "decision"),
    [
        (Verdict.MALICIOUS, Decision.BLOCK),
        (Verdict.SUSPICIOUS, Decision.REVIEW),
        (Verdict.INCONCLUSIVE, Decision.REVIEW),
        (Verdict.NO_FINDINGS, Decision.PASS),
    ],
)
def test_default_decisions(verdict: Verdict, decision: Decision) -> None:
    assert decide(verdict, ()) is decision


@pytest.mark.parametrize(
    ("verdict", "decision", "fail_on", "code"),
    [
        ("no_findings", "pass", "review", 0),
        ("suspicious", "review", "block", 0),
        ("suspicious", "review", "review", 1),
        ("malicious", "block", "block", 1),
        ("malicious", "block", "never", 0),
        ("inconclusive", "review", "block", 4),
        ("inconclusive", "review", "review", 4),
        ("inconclusive", "block", "block", 1),
        ("inconclusive", "review", "never", 4),
    ],
)
def test_exit_codes(verdict: str, decision: str, fail_on: str, code: int) -> None:
    assert exit_code(Verdict(verdict), Decision(decision), FailOn(fail_on)) == code


@pytest.mark.parametrize(
    ("match", "covered"),
    [
        (f'fingerprint = "{LOOK.fingerprint}"', True),
        ('fingerprint = "00000000000000000000000000000000"', False),
        ('kind = "git_hook"', True),
        ('kind = "git_*"', True),
        ('kind = "mining"', False),
        ('package = "pkg:npm/maldep"', True),
        ('package = "pkg:npm/mal*"', True),
        ('package = "pkg:pypi/*"', False),
        ('package = "pkg:npm/maldep"\nversions = ">=1,<2"', True),
        ('package = "pkg:npm/maldep"\nversions = ">=2"', False),
        ('destination = "collect.example:443"', False),
        ('phase = "install"\necosystem = "npm"', True),
        ('phase = "import"', False),
        ('severity = "high"', False),
        ('severity = "low"', True),
    ],
)
def test_waivers_cover_what_they_say(match: str, covered: bool) -> None:
    result = apply_waivers((LOOK,), parse_policy(WAIVER + match), DAY)
    assert (result.findings[0].waived is not None) is covered
    assert bool(result.notices) is not covered, "a waiver of no use is reported"


def test_waiver_by_path_must_cover_all_evidence() -> None:
    one = Evidence(1, "x", {"fields": {"fs.path.name": "/home/dev/.git/hooks/pre-commit"}})
    two = Evidence(2, "y", {"path": "/home/dev/.bashrc"})
    policy = parse_policy(WAIVER + 'path = "*/.git/hooks/*"')
    assert apply_waivers((replace(LOOK, evidence=(one,)),), policy, DAY).findings[0].waived
    assert not apply_waivers((replace(LOOK, evidence=(one, two)),), policy, DAY).findings[0].waived


def test_expired_waiver_waives_nothing_and_is_reported() -> None:
    result = apply_waivers((LOOK,), parse_policy(WAIVER + 'kind = "git_hook"'), dt.date(2027, 2, 1))
    assert result.findings[0].waived is None
    assert "expired" in result.notices[0]


def test_last_day_of_a_waiver_counts() -> None:
    policy = parse_policy(WAIVER + 'kind = "git_hook"')
    assert apply_waivers((LOOK,), policy, dt.date(2027, 1, 31)).findings[0].waived


def test_proof_is_never_waived_from_inside_the_project() -> None:
    text = WAIVER + 'package = "pkg:npm/*"'
    inside = apply_waivers((samples.FINDING, LOOK), parse_policy(text, inside=True), DAY)
    assert [f.waived is not None for f in inside.findings] == [False, True]
    outside = apply_waivers((samples.FINDING,), parse_policy(text), DAY)
    assert outside.findings[0].waived == "known tool (ada, until 2027-01-31)"


def test_rules_decide_by_finding() -> None:
    policy = parse_policy('[[rule]]\ndecision = "block"\nkind = "git_hook"')
    assert decide(Verdict.SUSPICIOUS, (LOOK,), policy) is Decision.BLOCK
    policy = parse_policy('[[rule]]\ndecision = "pass"\nkind = "git_hook"')
    assert decide(Verdict.SUSPICIOUS, (LOOK,), policy) is Decision.PASS
    other = replace(LOOK, kind="persistence")
    assert decide(Verdict.SUSPICIOUS, (LOOK, other), policy) is Decision.REVIEW


def test_first_rule_counts_and_direct_tells_dependencies_apart() -> None:
    policy = parse_policy(
        '[[rule]]\ndecision = "pass"\ndirect = true\n[[rule]]\ndecision = "block"\nkind = "*"'
    )
    packages = {"pkg:npm/maldep@1.0.0": samples.PACKAGE}
    assert decide(Verdict.SUSPICIOUS, (LOOK,), policy, packages) is Decision.PASS
    deep: dict[str, Package] = {"pkg:npm/maldep@1.0.0": replace(samples.PACKAGE, direct=False)}
    assert decide(Verdict.SUSPICIOUS, (LOOK,), policy, deep) is Decision.BLOCK


def test_inconclusive_never_passes() -> None:
    policy = parse_policy('[[rule]]\ndecision = "pass"\nkind = "*"')
    assert decide(Verdict.INCONCLUSIVE, (LOOK,), policy) is Decision.REVIEW
    with pytest.raises(UsageError, match="inconclusive"):
        parse_policy('[verdicts]\ninconclusive = "pass"')


def test_verdicts_can_be_stricter() -> None:
    assert (
        decide(Verdict.SUSPICIOUS, (LOOK,), parse_policy('[verdicts]\nsuspicious = "block"'))
        is Decision.BLOCK
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waiver = 1", "list of tables"),
        ("[[waiver]]\nkind = 'x'", "no reason"),
        ("[[waiver]]\nkind = 'x'\nreason = 'r'", "no author"),
        ("[[waiver]]\nkind = 'x'\nreason = 'r'\nauthor = 'a'", "expiry"),
        ("[[waiver]]\nkind = 'x'\nreason = 'r'\nauthor = 'a'\nexpires = '2027-01-01'", "expiry"),
        ("[[waiver]]\nreason = 'r'\nauthor = 'a'\nexpires = 2027-01-01", "everything"),
        ("[[waiver]]\nkinds = 'x'\nreason = 'r'\nauthor = 'a'\nexpires = 2027-01-01", "unknown key"),
        ("[[rule]]\nkind = 'x'", "not one of"),
        ("[[rule]]\nkind = 3\ndecision = 'pass'", "wrong type"),
        ("[[rule]]\nseverity = 'grave'\ndecision = 'pass'", "severity"),
        ("[verdicts]\nbad = 'pass'", "not one of"),
        ("[policy]\nx = 1", "unknown key"),
        ("=", "not TOML"),
    ],
)
def test_wrong_files_say_what_and_where(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        parse_policy(text, "p.toml")
    assert "p.toml" in raised.value.message
    assert raised.value.advice


def test_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            load_policy(path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        load_policy(tmp_path / "b.toml")


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_usage_error(text: str) -> None:
    try:
        parse_policy(text)
    except UsageError as error:
        assert error.advice
