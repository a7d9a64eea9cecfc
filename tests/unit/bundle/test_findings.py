"""Findings that somebody invented: of boxes that the scan never had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.bundle import Trust, of_files, verify
from package_hunter.bundle.findings import Source
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, bundled, bundled_worlds, forged, written
from tests.unit.bundle.test_verify import FURTHER

OURS = Trust(keys=(KEY.public_key(),))
LATE = "2027-03-01T10:00:00.000000000Z"


def _invented(**changes: Any) -> Any:
    """Adds a copy of the gravest finding that says so much else."""

    def add(report: Any) -> None:
        made = {**report["findings"][0], "fingerprint": "e" * 32, "title": "It mined coins"}
        made["evidence"] = [{**one, "time": LATE, "data": {}} for one in made["evidence"]]
        report["findings"].append({**made, **changes})

    return add


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "gated_behaviour"},
        {"evidence": []},
        {"explain": ["It was seen in a further box, in which time passed 60 times faster."]},
        {"blame": None},
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_one_of_a_box_that_never_was(tmp_path: Path, changes: dict[str, Any], several: bool) -> None:
    path = bundled_worlds(tmp_path) if several else bundled(tmp_path)
    found = verify(forged(path, report=_invented(**changes)), OURS)
    assert found.exit_code == 1
    assert any("does not show the finding “It mined coins”" in line for line in found.differences)


def test_one_of_a_rule_that_came_after_the_scan(tmp_path: Path) -> None:
    """Only a recording that was judged again has those, and its report says that it was."""

    def add(report: Any) -> None:
        _invented()(report)
        report["findings"][-1]["evidence"][0]["data"] = {"rule": "A later rule"}

    found = verify(forged(bundled(tmp_path), report=add), OURS)
    assert any("does not show the finding “It mined coins”" in line for line in found.differences)


def test_what_differs_between_worlds_is_worked_out(tmp_path: Path) -> None:
    found = verify(bundled_worlds(tmp_path), OURS)
    told = {o.finding.kind: o.source for o in found.origins}
    assert (found.exit_code, told["gated_behaviour"]) == (0, Source.GATEWAY)

    def without(report: Any) -> None:
        report["findings"] = [f for f in report["findings"] if f["kind"] != "gated_behaviour"]

    lacks = verify(forged(bundled_worlds(tmp_path), report=without), OURS)
    assert any("shows the finding “" in d and "(gated_behaviour" in d for d in lacks.differences)


class TestWhereThereWasAFurtherBox:
    def path(self, tmp_path: Path) -> Path:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        report = samples.report(scap, further=[FURTHER])
        return written(of_files(report, [scap], None, None), tmp_path / "b.zip")

    def test_what_it_never_showed(self, tmp_path: Path) -> None:
        """The scan left the digest of each finding that it had."""
        found = verify(forged(self.path(tmp_path), report=_invented()), OURS)
        assert any("does not show the finding “It mined coins”" in d for d in found.differences)

    def test_whom_it_never_found(self, tmp_path: Path) -> None:
        def blamed(report: Any) -> None:
            for finding in report["findings"]:
                if finding["blame"] is not None:
                    finding["blame"].update(package="pkg:npm/react@18.0.0", confidence="certain")

        found = verify(forged(self.path(tmp_path), report=blamed), OURS)
        assert any("the report's blame is" in d for d in found.differences)


class TestWhatAFurtherBoxMadeGraver:
    """Downloads that were answered in an encoding, say: the recorded box showed the same, and milder."""

    def bundle(self, tmp_path: Path, further: str) -> Path:
        plain = samples.report(samples.recording(tmp_path / "y.scap", samples.surroundings()))
        look = next(f for f in plain.findings if not f.proof)
        grave = samples.replace(look, proof=True, severity="critical", count=look.count + 1)
        others = tuple(f for f in plain.findings if f is not look)
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        report = samples.report(
            scap, further=[samples.replace(FURTHER, further=further)], findings=(grave, *others)
        )
        return written(of_files(report, [scap], None, None), tmp_path / "b.zip")

    def test_is_attested(self, tmp_path: Path) -> None:
        found = verify(self.bundle(tmp_path, "encoded"), OURS)
        assert (found.exit_code, found.differences) == (0, ())
        (attested,) = [o for o in found.origins if o.source is Source.ATTESTED]
        assert attested.why == "a further box, which is not recorded, showed it graver"

    def test_and_nothing_else_of_it(self, tmp_path: Path) -> None:
        """Such a box adds what is graver; all else is as the recorded ones showed it."""
        plain = samples.report(samples.recording(tmp_path / "y.scap", samples.surroundings()))
        other = tuple(samples.replace(f, explain=("Nothing.",)) for f in plain.findings)
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        further = samples.replace(FURTHER, further="encoded")
        report = samples.report(scap, further=[further], findings=other)
        found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
        assert any("the report's explain is ['Nothing.']" in d for d in found.differences)

    def test_only_of_a_box_that_adds_anything(self, tmp_path: Path) -> None:
        found = verify(self.bundle(tmp_path, "narrow"), OURS)
        assert any("the report's severity is critical" in d for d in found.differences)


@pytest.mark.parametrize("key", ["count", "explain", "advice", "title", "evidence"])
def test_each_word_of_a_finding_is_compared(tmp_path: Path, key: str) -> None:
    def other(report: Any) -> None:
        finding = report["findings"][0]
        new = {"count": 7, "explain": ["Nothing."], "advice": ["Go on."], "title": "Nothing"}
        finding[key] = new.get(key) or [{**finding["evidence"][0], "what": "Nothing."}]

    found = verify(forged(bundled(tmp_path), report=other), OURS)
    assert any(f"the report's {key} is" in d for d in found.differences), found.differences
