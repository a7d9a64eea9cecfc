"""What a report shows beside its findings, against its recordings: field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.bundle import Trust, of_files, verify
from package_hunter.bundle.checked import How
from package_hunter.model.observation import Connection, NetworkLog
from package_hunter.model.scan import Package
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, bundled, forged, written

OURS = Trust(keys=(KEY.public_key(),))
PACKAGE = Package("pkg:npm/a@1.0.0", "a", "1.0.0", chain=("demo", "a"))
PROCESS = {
    **{
        "key": 9,
        "pid": 9,
        "parent": None,
        "name": "x",
        "exepath": "/bin/x",
        "cmdline": "x",
        "cwd": "/",
        "uid": 0,
    },
    **{"started": "2026-09-21T13:33:20.000000000Z", "ended": None, "exit_code": None},
}
TALK = Connection(samples.BEGAN + 3, "tcp", "198.18.0.9", 80, 40_000, "evil.example", None, 6, 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A bundle in which each section has something."""
    made = samples.surroundings()
    facts = samples.replace(made.facts, packages=(PACKAGE,))
    network = NetworkLog(hits=(samples.HIT,), connections=(TALK,), cut={"dns": 3})
    scap = samples.recording(tmp_path / "x.scap", samples.replace(made, facts=facts, network=network))
    return written(of_files(samples.report(scap), [scap], None, None), tmp_path / "b.zip")


def test_all_of_it_is_checked(path: Path) -> None:
    found = verify(path, OURS)
    assert (found.exit_code, found.differences) == (0, ())
    assert found.checked["report.packages"] is How.KEPT
    assert found.checked["report.processes"] is How.REPLAYED
    assert found.checked["report.network"] is How.KEPT
    assert not [k for k, how in found.checked.items() if k.startswith("report.") and how is How.SIGNED]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["packages"].clear(), "The report lacks in its packages what"),
        (lambda r: r["packages"][0].update(version="2"), "The report lacks in its packages what"),
        (
            lambda r: r["packages"].append({**r["packages"][0], "name": "b"}),
            "The report has in its packages what",
        ),
        (lambda r: r["network"]["connections"].clear(), "The report lacks in its network.connections what"),
        (lambda r: r["network"]["cut"].clear(), "The report lacks in its network.cut what"),
        (lambda r: r["processes"].append(PROCESS), "The report has in its processes what"),
        (lambda r: r["alerts"].reverse(), "The order of the report's alerts is another"),
        (lambda r: r["canaries"]["sent"].clear(), "The report lacks in its canaries.sent what"),
        (lambda r: r["canaries"]["placed"].clear(), "The report lacks in its canaries.placed what"),
        (lambda r: r["alerts"][0].update(output="nothing"), "The report lacks in its alerts what"),
        (lambda r: r["cut"].update(alerts=3), "The report has in its cut what"),
    ],
)
def test_what_differs_is_told(path: Path, change: Any, said: str) -> None:
    found = verify(forged(path, report=change), OURS)
    assert found.exit_code == 1
    assert any(said in line for line in found.differences), found.differences


class TestFurtherBoxes:
    """Boxes of which there is no recording: the scan left digests of what it showed, and nobody can do more."""

    def bundle(self, tmp_path: Path, **changes: Any) -> Path:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        plain = samples.report(samples.recording(tmp_path / "y.scap", samples.surroundings()))
        later = samples.replace(plain.alerts[0], time_ns=samples.BEGAN + 10**12)
        further = samples.Box(
            "npm", "/x", "default", "encoded", False, samples.BEGAN + 10**11, samples.BEGAN + 10**13
        )
        report = samples.report(scap, further=[further], alerts=(*plain.alerts, later), **changes)
        return written(of_files(report, [scap], None, None), tmp_path / "b.zip")

    def test_what_they_added_is_bound_by_the_signature(self, tmp_path: Path) -> None:
        found = verify(self.bundle(tmp_path), OURS)
        assert (found.exit_code, found.differences, found.attested_alerts) == (0, (), 1)
        assert found.checked["report.alerts"] is How.SIGNED
        assert found.checked["report.processes"] is How.REPLAYED

    def test_what_nobody_left_the_digest_of(self, tmp_path: Path) -> None:
        def more(report: Any) -> None:
            report["alerts"][-1]["output"] = "invented"

        found = verify(forged(self.bundle(tmp_path), report=more), OURS)
        assert "The report's alerts are not those that the scan left the digest of." in found.differences

    def test_what_the_recording_shows_is_still_wanted(self, tmp_path: Path) -> None:
        found = verify(forged(self.bundle(tmp_path), report=lambda r: r["canaries"]["placed"].clear()), OURS)
        assert any("The report lacks in its canaries.placed what" in line for line in found.differences)


def test_a_recording_that_ends_in_the_middle_checks_none_of_it(tmp_path: Path) -> None:
    path = bundled(tmp_path)
    cut = samples.content(path, "recordings/0.scap")[:-40]
    found = verify(forged(path, recording_0=cut), OURS)
    assert found.checked["report.processes"] is How.SIGNED
