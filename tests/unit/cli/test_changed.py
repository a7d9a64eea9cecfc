"""`--changed-only`: the small project that is made of what changed, and what its report says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.cli.changed import change
from package_hunter.errors import UsageError
from package_hunter.model.scan import Verdict
from tests.support import judge_samples as samples


def lock(folder: Path, **packages: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    places = {f"node_modules/{name.replace('__', '/node_modules/')}": p for name, p in packages.items()}
    data = {"lockfileVersion": 3, "packages": {"": {}, **places}}
    (folder / "package-lock.json").write_text(json.dumps(data))
    return folder


def test_a_project_of_what_changed(tmp_path: Path) -> None:
    old = lock(tmp_path / "old", a={"version": "1.0.0"}, same={"version": "5.0.0"})
    new = lock(
        tmp_path / "shop",
        a={"version": "1.1.0"},
        a__a={"version": "2.0.0"},
        same={"version": "5.0.0"},
        mac={"version": "1.0.0", "optional": True},
    )
    with change(str(new), old / "package-lock.json") as found:
        assert found.folder is not None
        manifest = json.loads((found.folder / "package.json").read_text())
    assert manifest["dependencies"] == {"a": "1.1.0", "a-2": "npm:a@2.0.0"}
    assert manifest["optionalDependencies"] == {"mac": "1.0.0"}
    assert manifest["overrides"] == {"same": "5.0.0"}
    assert not found.folder.exists(), "nothing is left"


def test_nothing_changed(tmp_path: Path) -> None:
    project = lock(tmp_path / "shop", a={"version": "1.0.0"})
    with change(str(project), project) as found:
        assert found.folder is None
        report = found.finish(found.nothing(samples.T0))
    assert report.target.name == "shop"
    assert report.coverage.notes == ("No package's version changed, so nothing was run.",)
    assert report.verdict is Verdict.NO_FINDINGS


def test_what_no_registry_has_makes_it_inconclusive(tmp_path: Path) -> None:
    old = lock(tmp_path / "old", a={"version": "1.0.0"})
    git = {"version": "2.0.0", "resolved": "git+ssh://git@git.example/a.git#abc"}
    with change(str(lock(tmp_path / "shop", a=git)), old) as found:
        report = found.finish(found.nothing(samples.T0))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "no registry has them" in report.coverage.reasons[0]


@pytest.mark.parametrize(("came", "wrong"), [("sha512-AAAA", False), ("sha512-BBBB", True), (None, False)])
def test_other_bytes_than_promised(tmp_path: Path, came: str | None, wrong: bool) -> None:
    old = lock(tmp_path / "old", maldep={"version": "0.9.0"})
    new = lock(tmp_path / "shop", maldep={"version": "1.0.0", "integrity": "sha512-AAAA"})
    with change(str(new), old) as found:
        scanned = samples.report(packages=(replace(samples.PACKAGE, integrity=came),), findings=())
        report = found.finish(scanned)
    assert report.target.name == "shop", "not the small project's own name"
    assert any("other bytes" in reason for reason in report.coverage.reasons) is wrong


def test_python_and_ruby(tmp_path: Path) -> None:
    for name, text in (("old", "six==1.15.0\n"), ("new", "six==1.16.0\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text(text)
    with change(str(tmp_path / "new"), tmp_path / "old") as found:
        assert found.folder is not None
        assert (found.folder / "requirements.txt").read_text() == "six==1.16.0\n"
    for name, version in (("o", "1.0"), ("n", "2.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Gemfile.lock").write_text(f"GEM\n  specs:\n    rake ({version})\n")
    with change(str(tmp_path / "n"), tmp_path / "o") as found:
        assert found.folder is not None
        assert 'gem "rake", "2.0"' in (found.folder / "Gemfile").read_text()


@pytest.mark.parametrize("target", ["pkg:npm/a", "/nonexistent"])
def test_what_is_no_folder(tmp_path: Path, target: str) -> None:
    with pytest.raises(UsageError), change(target, lock(tmp_path / "a", a={"version": "1"})):
        pass


def test_bases_that_cannot_be_compared(tmp_path: Path) -> None:
    project = lock(tmp_path / "shop", a={"version": "1.0.0"})
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").write_text("junk")
    (tmp_path / "gems").mkdir()
    (tmp_path / "gems" / "Gemfile.lock").write_text("GEM\n  specs:\n    rake (1.0)\n")
    for base in ("none", "empty", "junk", "gems"):
        with pytest.raises(UsageError), change(str(project), tmp_path / base):
            pass
