"""A report and recordings of two scans: not signed, and not verified where somebody signed them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from package_hunter.bundle import Trust, of_files, verify
from package_hunter.bundle.errors import NoBundleError
from package_hunter.model.report import KeptFile
from package_hunter.model.scan import Coverage, Target
from package_hunter.policy.rejudge import rejudge
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, bundled, bundled_worlds, content, forged, written

OURS = Trust(keys=(KEY.public_key(),))
OTHER = Target("react", "npm", "pkg:npm/react@18.0.0", "ef" * 32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": OTHER, "targets": (OTHER,)}, "target is ('react', 'npm', 'pkg:npm/react@18.0.0'"),
        ({"target": Target("demo", "npm", None, "ef" * 32)}, "target is ('demo', 'npm', None, 'efef"),
        ({"targets": (Target("demo", "npm", None, "cd" * 32), OTHER)}, "targets is"),
        ({"hostname": "elsewhere"}, "hostname is elsewhere, the recording's build-7"),
        ({"started": samples.BEGAN - 86_400 * 10**9}, "started is"),
        ({"finished": samples.BEGAN + 2_000}, "finished is"),
        ({"depth": None}, "depth is , the recording's quick"),
        ({"coverage": Coverage(events=2, reasons=("It was cut.",))}, "coverage.reasons is ['It was cut.']"),
        ({"coverage": Coverage(events=2, notes=("All was seen.",))}, "coverage.notes is"),
        ({"error": "x"}, "not of one that came to its end"),
        ({"known_from": "another"}, "of another scan than the report"),
        ({"kept": (KeptFile("recording", "ab" * 32, 9, "x.scap"),)}, "that the report names is missing"),
    ],
)
def test_what_the_recording_says_otherwise_is_not_signed(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = rejudge(replace(samples.report(scap), **change))
    with pytest.raises(NoBundleError) as told:
        written(of_files(report, [scap], None, None), tmp_path / "b.zip")
    assert said in told.value.message
    assert not (tmp_path / "b.zip").exists()


def _renamed(report: Any) -> None:
    for target in (report["target"], *report["targets"]):
        target.update(name="react", purl="pkg:npm/react@18.0.0", sha256="ef" * 32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_renamed, "The report's target is ('react', 'npm', 'pkg:npm/react@18.0.0'"),
        (lambda r: r.update(hostname="elsewhere"), "The report's hostname is elsewhere"),
        (lambda r: r.update(finished="2026-09-21T23:00:00.000000000Z"), "The report's finished is"),
        (lambda r: r["coverage"].update(notes=["All was seen."]), "The report's coverage.notes is"),
        (lambda r: r["coverage"].update(reasons=["No."]), "The report's coverage.reasons is"),
        (lambda r: r["canaries"].update(replaced=["/x"]), "The report's canaries.replaced is ('/x',)"),
        (lambda r: r.update(status="cancelled"), "a scan that is cancelled"),
        (lambda r: r.update(error="It broke."), "not of one that came to its end"),
    ],
)
def test_what_was_signed_all_the_same_is_not_the_same(tmp_path: Path, change: Any, said: str) -> None:
    found = verify(forged(bundled(tmp_path), report=change), OURS)
    assert found.exit_code == 1
    assert any(said in line for line in found.differences), found.differences


class TestRecordings:
    def test_one_that_is_left_out(self, tmp_path: Path) -> None:
        """Nothing in the report names it: the other one does."""
        path = bundled_worlds(tmp_path)
        assert verify(path, OURS).exit_code == 0
        found = verify(forged(path, said=lambda s: s["predicate"]["recordings"].pop()), OURS)
        assert found.exit_code == 1
        assert "The recording of the box in the world later (npm) is missing" in " ".join(found.differences)

    def test_one_that_the_report_names(self, tmp_path: Path) -> None:
        def named(report: Any) -> None:
            report["kept"] = [{"kind": "recording", "sha256": "ab" * 32, "size": 9, "name": "x.2.scap"}]

        found = verify(forged(bundled(tmp_path), report=named), OURS)
        told = " ".join(found.differences)
        assert "The recording abababababab… that the report names is missing" in told
        assert "is none of those that the report names" in told

    def test_one_too_many(self, tmp_path: Path) -> None:
        path = bundled_worlds(tmp_path)
        again = content(path, "recordings/0.scap")
        found = verify(forged(path, recording_1=again), OURS)
        assert found.exit_code == 1
        assert any("is missing" in line for line in found.differences)

    def test_two_that_say_different_things(self, tmp_path: Path) -> None:
        """Each alone would pass: that of another run of the same scan's id."""
        path = bundled_worlds(tmp_path)
        other = samples.surroundings(world="later", network=samples.NetworkLog())
        scap = samples.recording(tmp_path / "o.scap", other)
        samples.report(scap, hostname="elsewhere")
        found = verify(forged(path, recording_1=scap.read_bytes()), OURS)
        assert "The recordings do not say the same of their scan." in found.differences

    def test_of_another_image(self, tmp_path: Path) -> None:
        first = samples.recording(tmp_path / "x.scap", samples.surroundings())
        span = {"began_ns": samples.BEGAN + 1_000, "ended_ns": samples.BEGAN + 1_100}
        other = samples.surroundings(world="later", image=("x.erofs", "ef" * 32), **span)
        second = samples.recording(tmp_path / "x.2.scap", other)
        source = of_files(samples.report(first, second), [first, second], None, None)
        with pytest.raises(NoBundleError, match="several images"):
            written(source, tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        (
            Coverage(events=2, reasons=("The install failed.",)),
            "missed something that the report does not say",
        ),
        (Coverage(events=2, dropped=3), "More events were dropped"),
    ],
)
def test_what_a_box_says_that_it_missed_is_said(tmp_path: Path, missed: Coverage, said: str) -> None:
    """The scan's own last word is forged too: each box has its own."""
    facts = replace(samples.surroundings().facts, coverage=missed)
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings(facts=facts))
    with pytest.raises(NoBundleError, match=said):
        written(of_files(samples.report(scap), [scap], None, None), tmp_path / "b.zip")


def test_an_earlier_result_is_that_of_the_recording(tmp_path: Path) -> None:
    """What is given again says so in a note of its own, and has the recording of the scan that was run."""
    from package_hunter.queue.reuse import as_new

    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = rejudge(as_new(samples.report(scap), "another"))
    source = replace(of_files(samples.report(scap), [scap], None, None), report=report)
    found = verify(written(source, tmp_path / "b.zip"), OURS)
    assert (found.exit_code, found.differences) == (0, ())
    assert json.loads(content(tmp_path / "b.zip", "report.json"))["known_from"] == samples.SCAN


def test_a_recording_of_before_says_nothing_of_it(tmp_path: Path) -> None:
    path = bundled(tmp_path)
    older = samples.recording(tmp_path / "o.scap", samples.surroundings())
    found = verify(forged(path, recording_0=older.read_bytes()), OURS)
    assert (found.exit_code, found.differences) == (4, ())
    assert any("does not say what was scanned" in line for line in found.unknown)
    with pytest.raises(NoBundleError, match="does not say what was scanned"):
        written(of_files(samples.report(path.parent / "x.scap"), [older], None, None), tmp_path / "n.zip")
