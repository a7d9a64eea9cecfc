"""What a scan says at its end in the recordings of its boxes."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.scan import Coverage
from package_hunter.pipeline.closing import closing_of, digests_of, pack, unpack
from package_hunter.pipeline.rederive import kept_in
from package_hunter.report.sample import sample
from package_hunter.sensor.scap import ScapReader, append_closing
from tests.support import bundle_samples as samples

BOX = samples.Box("npm", "/home/dev/app", "default", "narrow", False, 1, 2)


def test_all_of_it_comes_back(tmp_path: Path) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = samples.report(scap, further=[BOX], coverage=Coverage(events=2, notes=("\ud800 of a box",)))
    kept = kept_in(scap)
    assert kept.closing is not None
    assert (kept.closing.target, kept.closing.hostname, kept.closing.depth) == (
        report.target,
        "build-7",
        "quick",
    )
    assert kept.closing.boxes[1:] == (BOX,)
    assert kept.closing.scan == kept.scan == report.id
    assert kept.closing.coverage == from_json(to_json(report)).coverage
    assert kept.surroundings is not None
    with ScapReader(scap) as source:
        assert len(list(source)) == 2  # no piece is an event of the scan


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"x",
        zlib.compress(b"[]"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(bytes(65 << 20)),
        pack(closing_of(sample(), ()))[:-10],
        pack(replace(closing_of(sample(), ()), form=2)),
    ],
)
def test_what_is_none(packed: bytes) -> None:
    assert unpack(packed) is None


def test_one_that_is_said_twice_is_none(tmp_path: Path) -> None:
    """Whoever appends another says nothing with it."""
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = samples.report(scap)
    append_closing(scap, pack(closing_of(replace(report, hostname="elsewhere"), ())))
    assert kept_in(scap).closing is None


def test_digests_are_of_the_json_form_whatever_a_policy_said() -> None:
    report = sample()
    sections, findings = digests_of(to_json(report))
    waived = replace(report, findings=tuple(replace(f, waived="why") for f in report.findings))
    assert digests_of(to_json(from_json(to_json(waived)))) == (sections, findings)
    less = replace(report, packages=())
    assert digests_of(to_json(less))[0]["packages"] != sections["packages"]
