"""What only a build knows its package to need: installed once its metadata says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.tree import BoxTree

SETUP = "from setuptools import setup\nsetup(name='other', install_requires=open('r.txt').read().split())\n"
BACKEND = '[build-system]\nrequires=["setuptools"]\nbuild-backend="setuptools.build_meta"\n'
SITE = ".venv/lib/python3.11/site-packages"


def laid(folder: Path, files: dict[str, str]) -> Plan:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (plan,) = plans(stage("p", folder), PlanOptions())
    return plan


def built(folder: Path, plan: Plan, path: str, *needs: str, name: str = "other") -> None:
    """As a build in the box leaves it."""
    info = folder / SITE / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    asks = "".join(f"Requires-Dist: {line}\n" for line in needs)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{asks}\n")
    (info / "direct_url.json").write_text(json.dumps({"url": f"file://{plan.project}{path}"}))


PROJECTS = {
    "a setup.py alone": ({"setup.py": SETUP}, ""),
    "with a build backend": ({"setup.py": SETUP, "pyproject.toml": BACKEND}, ""),
    "dynamic": ({"pyproject.toml": f'{BACKEND}[project]\nname="other"\ndynamic=["dependencies"]\n'}, ""),
    "an archive": ({"requirements.txt": "./other-1.tar.gz\n", "other-1.tar.gz": "packed"}, "/other-1.tar.gz"),
    "setup.cfg": (
        {"setup.py": "import setuptools; setuptools.setup()", "setup.cfg": "[metadata]\nname=other\n"},
        "",
    ),
    "in a folder": (
        {"requirements.txt": "./vendor/other\n", "vendor/other/setup.py": SETUP},
        "/vendor/other",
    ),
}


@pytest.mark.parametrize("kind", PROJECTS)
def test_what_a_build_turned_out_to_need_is_installed_after_it(tmp_path: Path, kind: str) -> None:
    files, path = PROJECTS[kind]
    plan = laid(tmp_path, files)
    tree = BoxTree(tmp_path, plan.project)
    (build,) = plan.after_fetch(tree, ()).commands
    assert "--no-deps" in build.argv
    built(tmp_path, plan, path, "toolz==0.12.0", 'tomli>=2 ; python_version < "3"')
    learnt = plan.learnt(tree)
    assert learnt is not None
    phase, allow = learnt
    assert (allow.ecosystem, allow.names, allow.closed) == ("pypi", {"toolz", "tomli"}, False)
    (command,) = phase.commands
    assert command.blame_purl == "pkg:pypi/other@1"
    assert command.argv[-2:] == ("toolz==0.12.0", 'tomli>=2 ; python_version < "3"')
    plan.later(tree)
    (said,) = [text for text in plan.coverage(()).reasons if "of the tree" in text]
    assert said == "1 package of the tree was not installed: toolz."


def test_it_keeps_to_the_projects_limits(tmp_path: Path) -> None:
    lists = {"requirements.txt": "-c pins.txt\n./vendor/other\n", "pins.txt": "toolz==0.12.0\n"}
    plan = laid(tmp_path, {**lists, "vendor/other/setup.py": SETUP})
    tree = BoxTree(tmp_path, plan.project)
    plan.after_fetch(tree, ())
    built(tmp_path, plan, "/vendor/other", "toolz")
    learnt = plan.learnt(tree)
    assert learnt is not None
    (command,) = learnt[0].commands
    limits = command.argv[command.argv.index("-c") + 1]
    assert [file.content for file in plan.files if file.path == limits] == [b"toolz==0.12.0\n"]


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": f'{BACKEND}[project]\nname="other"\ndependencies=["six==1.16.0"]\n'},
        {"pyproject.toml": '[tool.poetry]\nname="other"\n[build-system]\nrequires=["poetry-core"]\n'},
        {"poetry.lock": '[[package]]\nname="six"\nversion="1.16.0"\nfiles=[]\n', "setup.py": SETUP},
    ],
)
def test_where_it_was_known_before_a_build_adds_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    plan = laid(tmp_path, files)
    tree = BoxTree(tmp_path, plan.project)
    plan.after_fetch(tree, ())
    built(tmp_path, plan, "", "toolz==0.12.0")
    assert plan.learnt(tree) is None


def test_only_extras_that_were_asked_for(tmp_path: Path) -> None:
    plan = laid(tmp_path, {"requirements.txt": "./lib[fast]\n", "lib/setup.py": SETUP})
    tree = BoxTree(tmp_path, plan.project)
    plan.after_fetch(tree, ())
    built(tmp_path, plan, "/lib", 'six>=1; extra == "fast"', 'idna; extra == "slow"', "click[x]<9")
    learnt = plan.learnt(tree)
    assert learnt is not None
    assert learnt[0].commands[0].argv[-2:] == ("six>=1", "click[x]<9")


def test_what_a_hostile_build_names(tmp_path: Path) -> None:
    plan = laid(tmp_path, {"requirements.txt": "./lib\n", "lib/setup.py": SETUP})
    tree = BoxTree(tmp_path, plan.project)
    plan.after_fetch(tree, ())
    lines = [
        "--index-url=x",
        "far @ git+https://git.example/far",
        "-r /etc/passwd",
        "/etc",
        "x; extra ==",
        "lib @ .",
    ]
    built(tmp_path, plan, "/lib", *lines, *(f"a{n}" for n in range(600)))
    learnt = plan.learnt(tree)
    assert learnt is not None
    assert all(word.startswith("a") for word in learnt[0].commands[0].argv[-494:])
    assert not {"x", "far"} & learnt[1].names
    assert not any("passwd" in word or "index" in word for word in learnt[0].commands[0].argv)
    reasons = " ".join(plan.coverage(()).reasons)
    assert "far (" in reasons
    assert "names 106 more dependencies" in reasons


def test_a_package_of_the_registry_is_not_asked_again(tmp_path: Path) -> None:
    plan = laid(tmp_path, {"requirements.txt": "./lib\n", "lib/setup.py": SETUP})
    tree = BoxTree(tmp_path, plan.project)
    plan.after_fetch(tree, ())
    built(tmp_path, plan, "/elsewhere", "toolz")
    assert plan.learnt(tree) is None
