"""What of a Python project is loaded: its own package, all modules of it, and never the source beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import lay
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.depth import QUICK, STANDARD, Depth
from package_hunter.model.scan import Command

SITE = ".venv/lib/python3.11/site-packages"
ROWS = [
    "{0}/__init__.py",
    "{0}/a.py",
    "{0}/sub/__init__.py",
    "{0}/sub/_b.py",
    "{0}/__main__.py",
    "{0}/tests/t.py",
]
FAST = "{0}/_fast.cpython-311-x86_64-linux-gnu.so"


def install(project: Path, name: str, source: str = "") -> None:
    """As pip leaves it; ``source``: from which folder."""
    info = project / SITE / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    rows = [row.format(name) for row in (*ROWS, FAST, "../../../bin/{0}-cli")]
    (info / "RECORD").write_text("".join(f"{row},,\n" for row in rows))
    if source:
        (info / "direct_url.json").write_text(f'{{"url": "file://{source}", "dir_info": {{}}}}')


def imports(project: Path, depth: Depth = QUICK) -> tuple[Command, ...]:
    (plan,) = lay(stage("src", project), PlanOptions(depth=depth), "pypi")
    return plan.imports(BoxTree(project, plan.project)).commands


@pytest.mark.parametrize(
    "manifest",
    [
        (
            "pyproject.toml",
            '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "own"\nversion = "1.0"\n',
        ),
        ("setup.py", "from setuptools import setup\nsetup(name=compute(), version='1.0')\n"),
    ],
    ids=["named", "computed"],
)
@pytest.mark.parametrize("layout", ["own/__init__.py", "src/own/__init__.py"])
def test_a_package_in_a_folder_is_loaded_from_where_it_was_installed(
    tmp_path: Path, manifest: tuple[str, str], layout: str
) -> None:
    (tmp_path / manifest[0]).write_text(manifest[1])
    (tmp_path / layout).parent.mkdir(parents=True)
    (tmp_path / layout).write_text("")
    (plan,) = lay(stage("src", tmp_path), PlanOptions(), "pypi")
    install(tmp_path, "own", plan.project)
    install(tmp_path, "other")
    (load,) = imports(tmp_path)
    assert (load.blame_purl, load.script) == ("pkg:pypi/own@1.0", "import own")
    assert "-P" in load.argv, "the folder beside it must not be found first"


def test_what_lies_beside_a_project_is_not_taken_for_a_dependency(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six==1.0\nclear==1.0\n")
    (tmp_path / "six.py").write_text("")
    install(tmp_path, "six")
    install(tmp_path, "clear")
    shadowed = {load.script: "-P" in load.argv for load in imports(tmp_path)}
    assert shadowed == {"import six": True, "import clear": False}


def test_standard_loads_every_module_of_the_target_and_of_direct_dependencies(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("dep==1.0\n")
    install(tmp_path, "dep")
    install(tmp_path, "deeper")
    assert [load.script for load in imports(tmp_path)] == ["import dep"]
    first, *rest = imports(tmp_path, STANDARD)
    assert (first.script, first.within) == ("import dep", None)
    assert [load.script for load in rest] == [
        "import dep.a",
        "import dep.sub",
        "import dep._fast",
        "import dep.sub._b",
        "import dep.tests.t",
        "bin dep-cli",
    ]
    assert {load.within for load in rest} == {STANDARD.submodule_seconds}
    assert [load.item for load in rest] == ["dep.a", "dep.sub", "dep._fast", "dep.sub._b", "dep.tests.t", ""]
    assert {load.together[-2] for load in rest if load.item} == {"-c"}


def test_a_project_that_is_no_package_is_not_loaded_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("dep==1.0\n")
    (tmp_path / "main.py").write_text("")
    (plan,) = lay(stage("src", tmp_path), PlanOptions(), "pypi")
    assert "Not loaded themselves: src (no package that pip could install)." in plan.notes
