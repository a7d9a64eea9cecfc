"""What a policy made of a report, held against what it makes of it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.bundle import Trust, of_files, verify
from package_hunter.bundle.checked import How
from package_hunter.bundle.errors import BadBundleError
from package_hunter.bundle.findings import Source
from package_hunter.model.scan import Verdict
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, bundled, forged, written
from tests.unit.bundle.test_verify import FURTHER, POLICY

OURS = Trust(keys=(KEY.public_key(),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(explanation=["All is well."]), "The report's explanation is ('All is well.',)"),
        (lambda r: r.update(explanation=[]), "The report's explanation is ()"),
        (
            lambda r: r["findings"][0].update(waived="a drill"),
            "is silenced by a drill in the report, and by None",
        ),
    ],
)
def test_what_differs_is_told(tmp_path: Path, change: Any, said: str) -> None:
    found = verify(forged(bundled(tmp_path), report=change), OURS)
    assert found.exit_code == 1
    assert any(said in line for line in found.differences), found.differences


def test_the_policy_s_day_is_that_of_the_scan(tmp_path: Path) -> None:
    path = forged(
        bundled(tmp_path, POLICY),
        policy=lambda p: p.update(day="2027-05-01"),
        said=lambda s: s["predicate"].update(day="2027-05-01"),
    )
    found = verify(path, OURS)
    assert any("The policy is asked on 2027-05-01, and the scan ended on" in d for d in found.differences)


def test_which_policy_it_was_is_bound_by_the_signature_alone(tmp_path: Path) -> None:
    found = verify(bundled(tmp_path, POLICY), OURS)
    assert found.exit_code == 0
    assert found.checked["policy.json policy: the policy file"] is How.SIGNED
    assert found.checked["report.verdict"] is How.JUDGED


@pytest.mark.parametrize("days", [-5, 10**30])
def test_ages_that_no_finding_has(tmp_path: Path, days: int) -> None:
    def server(policy: Any) -> None:
        policy.clear()
        policy.update(form="server", day="2026-09-21", scopes=[], held={}, days={"a" * 32: days}, own=None)

    with pytest.raises(BadBundleError, match=r"policy\.json is none"):
        verify(forged(bundled(tmp_path), policy=server), OURS)


def test_a_verdict_that_rests_on_what_nobody_can_check(tmp_path: Path) -> None:
    """A further box showed all of it: that is said, and is no "the same again"."""
    quiet = samples.surroundings(network=samples.NetworkLog())
    scap = samples.recording(tmp_path / "x.scap", quiet)
    honest = samples.report(samples.recording(tmp_path / "y.scap", samples.surroundings()))
    late = samples.BEGAN + 10**12
    theft = next(f for f in honest.findings if f.proof)
    theft = samples.replace(theft, evidence=tuple(samples.replace(e, time_ns=late) for e in theft.evidence))
    plain = samples.report(samples.recording(tmp_path / "z.scap", quiet))
    report = samples.report(scap, further=[FURTHER], findings=(theft, *plain.findings))
    found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
    assert (found.exit_code, found.differences, found.verdict) == (4, (), Verdict.MALICIOUS)
    assert any("rests on what the report alone attests (1 of its findings)" in line for line in found.unknown)
    assert [o.source for o in found.origins if o.finding.proof] == [Source.ATTESTED]
