"""Verdicts: proof outranks lost events, lost events outrank suspicion, and nothing ever clears a package."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Coverage, Verdict
from package_hunter.policy import explanation, verdict
from tests.support import judge_samples as samples

PROOF = samples.FINDING
LOOK = replace(samples.FINDING, proof=False, severity="medium")
INFO = replace(samples.FINDING, proof=False, severity="info")
WAIVED = replace(PROOF, waived="looked at")
WHOLE = Coverage()
FAILED = Coverage(reasons=("The install failed.",))
LOST = Coverage(dropped=3)


@pytest.mark.parametrize(
    ("findings", "coverage", "expected"),
    [
        ((), WHOLE, Verdict.NO_FINDINGS),
        ((INFO,), WHOLE, Verdict.NO_FINDINGS),
        ((LOOK, INFO), WHOLE, Verdict.SUSPICIOUS),
        ((LOOK, PROOF), WHOLE, Verdict.MALICIOUS),
        ((PROOF,), FAILED, Verdict.MALICIOUS),
        ((PROOF,), LOST, Verdict.MALICIOUS),
        ((LOOK,), FAILED, Verdict.INCONCLUSIVE),
        ((), LOST, Verdict.INCONCLUSIVE),
        ((WAIVED,), WHOLE, Verdict.NO_FINDINGS),
        ((WAIVED, LOOK), WHOLE, Verdict.SUSPICIOUS),
    ],
)
def test_verdict(findings: tuple[Finding, ...], coverage: Coverage, expected: Verdict) -> None:
    assert verdict(findings, coverage) is expected


def test_wording_never_clears() -> None:
    text = " ".join(explanation((), WHOLE)).lower()
    assert "no proof" in text
    assert not any(word in text for word in ("clean", "safe", "benign"))


def test_reasons_are_repeated() -> None:
    lines = explanation((LOOK, WAIVED), FAILED)
    assert any("The install failed." in line for line in lines)
    assert any("1 waived" in line for line in lines)


def test_what_decides_is_named_with_its_package() -> None:
    first = explanation((PROOF, LOOK), WHOLE)[0]
    assert PROOF.blame is not None
    assert f"{PROOF.kind} by {PROOF.blame.package}" in first


def test_what_nobody_is_blamed_for_is_named_alone() -> None:
    (line,) = explanation((replace(LOOK, blame=None), replace(LOOK, blame=None)), WHOLE)
    assert line.endswith(f"look at: {LOOK.kind}.")
    assert line.startswith("Suspicious: 2 findings")


def test_of_many_findings_some_are_named_and_the_rest_counted() -> None:
    many = [replace(LOOK, blame=None, kind=f"kind{n}") for n in range(8)]
    (line,) = explanation(many, WHOLE)
    assert line.endswith("kind4 and 3 more.")
