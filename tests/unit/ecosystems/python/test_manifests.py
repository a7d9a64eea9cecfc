"""pyproject.toml with what its build reads elsewhere, Pipfile, and what is no package."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.tree import BoxTree

DYNAMIC = """
[build-system]
requires = ["setuptools"]
[project]
name = "dyn"
dynamic = ["dependencies"]
"""


def laid(folder: Path, **files: str) -> Plan:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    (plan,) = plans(stage("p", folder), PlanOptions())
    return plan


@pytest.mark.parametrize(
    "how",
    [
        '[tool.setuptools.dynamic]\ndependencies = {file = ["reqs.txt"]}\n',
        '[tool.setuptools.dynamic]\ndependencies = {file = "reqs.txt"}\n',
        '[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["reqs.txt"]\n',
    ],
)
def test_files_that_a_build_reads_dependencies_from_are_read(tmp_path: Path, how: str) -> None:
    plan = laid(tmp_path, pyproject__toml=DYNAMIC + how, reqs__txt="idna==3.7\n")
    assert requirements.wanted(BoxTree(tmp_path, "/p"), "/p").lines == ["idna==3.7"]
    own = plan.after_fetch(BoxTree(tmp_path), ()).commands[-1]
    assert (own.blame_purl, own.essential) == ("pkg:pypi/dyn", False)


def test_where_only_its_build_knows_a_failure_is_one(tmp_path: Path) -> None:
    plan = laid(tmp_path, pyproject__toml=DYNAMIC)
    (own,) = plan.after_fetch(BoxTree(tmp_path), ()).commands
    assert own.essential


@pytest.mark.parametrize(
    "text",
    [
        '[tool.poetry]\nname="x"\npackage-mode=false\n[tool.poetry.dependencies]\nidna="3.7"\n[build-system]\nrequires=[]',
        '[project]\nname="x"\ndependencies=["idna==3.7"]\n[tool.uv]\npackage=false\n[build-system]\nrequires=[]',
    ],
)
def test_what_its_author_calls_no_package_is_not_built(tmp_path: Path, text: str) -> None:
    plan = laid(tmp_path, pyproject__toml=text)
    assert not any(command.argv[-1] == "." for command in plan.after_fetch(BoxTree(tmp_path), ()).commands)


def test_a_pipfile_alone_is_scanned(tmp_path: Path) -> None:
    text = (
        '[[source]]\nurl = "https://stranger.example/simple"\n[packages]\nidna = "==3.7"\n'
        'requests = {version = ">=2", extras = ["socks"], markers = "python_version > \'3\'"}\n'
        'far = {git = "https://git.example/a/far"}\n[dev-packages]\nsix = "*"\n'
    )
    laid(tmp_path, Pipfile=text)
    found = requirements.wanted(BoxTree(tmp_path, "/p"), "/p")
    assert found.lines == ["six", "idna==3.7", "requests[socks]>=2 ; python_version > '3'"]
    assert [item.name for item in found.outside] == ["far"]
    assert found.indexes == ["https://stranger.example/simple"]


def test_a_pylock_alone_is_scanned(tmp_path: Path) -> None:
    text = 'lock-version = "1.0"\n[[packages]]\nname = "idna"\nversion = "3.7"\nmarker = "\'x\' in extras"\n'
    laid(tmp_path, pylock__toml=text)
    assert requirements.wanted(BoxTree(tmp_path, "/p"), "/p").lines == ["idna==3.7"]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("own-q7", {"setup__py": "from setuptools import setup\nsetup(name='own-q7')"}),
        ("cfg", {"setup__py": "", "setup__cfg": "[metadata]\nname = cfg\n"}),
        ("toml", {"pyproject__toml": "[build-system]\nrequires=[]\n[project]\nname='toml'\n"}),
        ("p", {"setup__py": "import x"}),
    ],
)
def test_a_projects_own_build_has_its_name(tmp_path: Path, name: str, files: dict[str, str]) -> None:
    plan = laid(tmp_path, **files)
    assert plan.after_fetch(BoxTree(tmp_path), ()).commands[-1].blame_purl == f"pkg:pypi/{name}"
