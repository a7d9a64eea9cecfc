"""The simulations and the command that runs them, on a scan that is injected."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.cli.simulate import outcome, run, summary
from package_hunter.errors import HunterError, NothingToScanError, UsageError
from package_hunter.model.report import Report
from package_hunter.model.scan import Verdict
from package_hunter.simulations.catalog import Simulation, choose, discover, home, twins
from package_hunter.simulations.pack import pack
from tests.support import judge_samples as samples

KNOWN = discover(home())
TWINS = twins(KNOWN, home())
TEXT_FILES = [p for p in home().rglob("*") if p.is_file() and p.suffix not in (".so",)]
RESERVED = re.compile(
    r"(^|\.)example$|^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^169\.254\.169\.254$|^localhost$"
)


def test_every_incident_of_the_table_has_one() -> None:
    import tomllib

    rows = {tomllib.loads((s.folder / "simulation.toml").read_text())["incident"] for s in KNOWN.values()}
    assert set(range(1, 45)) <= rows


@pytest.mark.parametrize("name", KNOWN)
def test_each_is_marked_as_harmless_and_explained(name: str) -> None:
    folder = KNOWN[name].folder
    readme = (folder / "README.md").read_text()
    assert "harmless simulation for testing Package Hunter. Not malware." in readme
    for code in folder.rglob("*"):
        if code.suffix in (".js", ".py", ".rb", ".sh", ".c"):
            assert "armless simulation" in code.read_text(), code
        if code.name == "package.json":
            data = json.loads(code.read_text())
            assert "Not malware" in data["description"] or "harmless" in data["description"]
    assert KNOWN[name].expect in ("malicious", "suspicious", "missed")
    assert KNOWN[name].expect == "malicious" or KNOWN[name].why


@pytest.mark.parametrize("path", TEXT_FILES, ids=lambda p: str(p.relative_to(home())))
def test_only_reserved_hosts_are_named(path: Path) -> None:
    found = re.findall(r"https?://([A-Za-z0-9.\-\[\]:]+)", path.read_text())
    found += re.findall(r'host(?:name)?: "([^"]+)"', path.read_text())
    for host in found:
        assert RESERVED.search(host.split(":")[0].rstrip(".")) or host == "1.a", host


def test_unknown_name_says_which_there_are() -> None:
    with pytest.raises(UsageError, match="no simulation 'nope'") as raised:
        choose(KNOWN, ["nope"])
    assert "eslint-scope" in raised.value.advice


def test_outcomes_and_summary() -> None:
    first, second, third = choose(KNOWN, ["eslint-scope", "chalk-debug", "registry-worm"])

    def scan(folder: Path, simulation: Simulation) -> Report:
        if folder == second.folder:
            return samples.report(verdict=Verdict.NO_FINDINGS, findings=())
        if folder == third.folder:
            raise HunterError("It broke.", "Mend it.")
        return samples.report()

    outcomes = list(run([first, second, third], scan))
    assert [(o.verdict, o.caught, o.as_expected) for o in outcomes] == [
        ("malicious", True, True),
        ("no_findings", False, True),
        ("error", False, False),
    ]
    assert outcomes[0].by == ("exfiltration",)
    assert summary(outcomes) == "1 of 3 caught, 1 of them as malicious. Worse than expected: registry-worm."


def test_suspicious_is_worse_than_expected_malicious() -> None:
    weak = samples.report(verdict=Verdict.SUSPICIOUS, findings=(replace(samples.FINDING, proof=False),))
    result = outcome(KNOWN["eslint-scope"], weak, 1.0)
    assert result.caught
    assert not result.as_expected


@pytest.mark.parametrize("name", [s.name for s in KNOWN.values() if s.ecosystem != "npm"])
def test_python_and_ruby_ones_are_packed_the_same_every_time(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    packed = pack(KNOWN[name].folder, KNOWN[name].ecosystem, first)
    assert packed.read_bytes() == pack(KNOWN[name].folder, KNOWN[name].ecosystem, second).read_bytes()
    with tarfile.open(packed) as archive:
        names = archive.getnames()
    expected = (
        {"metadata.gz", "data.tar.gz"} if packed.suffix == ".gem" else {f"{names[0].split('/')[0]}/PKG-INFO"}
    )
    assert expected <= set(names)


def test_unsupported_ecosystem_is_an_outcome_not_a_crash() -> None:
    def scan(folder: Path, simulation: Simulation) -> Report:
        raise NothingToScanError("No manifest.")

    assert next(iter(run([KNOWN["rest-client"]], scan))).verdict == "not supported"


def test_what_it_needs_beyond_the_defaults_is_named() -> None:
    assert KNOWN["solana-web3"].asks == "--exercise"
    assert KNOWN["gated-date"].asks == "--worlds default,later"
    assert KNOWN["eslint-scope"].asks == ""
    assert outcome(KNOWN["gated-date"], samples.report(), 1.0).asks == KNOWN["gated-date"].asks


def test_each_has_an_honest_twin_and_no_twin_is_alone() -> None:
    assert set(TWINS) == set(KNOWN) == {p.name for p in (home() / "honest").iterdir() if p.is_dir()}


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_changes_files_of_its_simulation_and_says_so(name: str, tmp_path: Path) -> None:
    twin = TWINS[name]
    assert twin.over is not None and twin.expect in ("no_findings", "suspicious")
    assert twin.title.endswith(".") and (twin.expect == "no_findings" or twin.why.endswith("."))
    changed = [p for p in twin.over.rglob("*") if p.is_file() and p.name != "twin.toml"]
    assert changed
    for path in changed:
        assert "honest twin of a harmless simulation" in path.read_text(), path
        before = twin.folder / path.relative_to(twin.over)
        assert before.is_file() and before.read_text() != path.read_text()


def test_a_twin_is_its_simulation_with_other_files_laid_over_it(tmp_path: Path) -> None:
    twin = TWINS["eslint-scope"]
    folder = pack(twin.folder, twin.ecosystem, tmp_path, twin.over)
    assert folder.name == "eslint-scope" and not (folder / "twin.toml").exists()
    assert (folder / "package.json").read_text() == (twin.folder / "package.json").read_text()
    assert "honest twin" in (folder / "scope-lint/build.js").read_text()
    assert "honest twin" not in (twin.folder / "scope-lint/build.js").read_text()
    gem = TWINS["rest-client"]
    mine, theirs = (pack(gem.folder, gem.ecosystem, tmp_path, over) for over in (None, gem.over))
    assert mine.read_bytes() != theirs.read_bytes()
    assert pack(gem.folder, gem.ecosystem, tmp_path, gem.over).read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("verdict", "right"),
    [
        (Verdict.MALICIOUS, False),
        (Verdict.INCONCLUSIVE, False),
        (Verdict.SUSPICIOUS, True),
        (Verdict.NO_FINDINGS, True),
    ],
)
def test_a_twin_must_not_be_accused_and_its_scan_must_be_whole(verdict: Verdict, right: bool) -> None:
    found = outcome(TWINS["coa-rc"], replace(samples.report(), verdict=verdict), 1.0)
    assert found.honest and found.as_expected is right
    assert ("All as expected" in summary([found])) is right
    quiet = outcome(TWINS["colors-faker"], replace(samples.report(), verdict=verdict), 1.0)
    assert quiet.as_expected is (verdict is Verdict.NO_FINDINGS)
