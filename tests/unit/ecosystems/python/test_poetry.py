"""Poetry's tables, and groups, as requirement lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import NO_LOCK, Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import closed, requirements
from package_hunter.ecosystems.python.poetry import specifiers
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import CommandRun

HEAD = """[tool.poetry]
name="shop"
[build-system]
requires=["poetry-core"]
[tool.poetry.dependencies]
python="^3.10"
"""


def laid(folder: Path, **files: str) -> Plan:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    (plan,) = plans(stage("p", folder), PlanOptions())
    return plan


def lines(folder: Path, text: str) -> list[str]:
    laid(folder, pyproject__toml=text)
    return requirements.wanted(BoxTree(folder, "/p"), "/p").lines


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("^1.2.3", [">=1.2.3", "<2"]),
        ("^0.2.3", [">=0.2.3", "<0.3"]),
        ("^0.0.3", [">=0.0.3", "<0.0.4"]),
        ("^0", [">=0", "<1"]),
        ("^2.0b1", [">=2.0b1", "<3"]),
        ("~1.2.3", [">=1.2.3", "<1.3"]),
        ("~1", [">=1", "<2"]),
        ("~=1.4", ["~=1.4"]),
        ("1.4", ["==1.4"]),
        ("1.4.*", ["==1.4.*"]),
        (">=1, <3 !=2", [">=1", "<3", "!=2"]),
        ("*", []),
        ("^1 || ^2", None),
        ("; touch x", None),
    ],
)
def test_versions(said: str, found: list[str] | None) -> None:
    assert specifiers(said) == found


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ('uvicorn={version="0.23.0",extras=["standard"]}', "uvicorn[standard]==0.23.0"),
        ('tomli={version="^2.0",python="<3.11"}', "tomli>=2.0,<3 ; python_version < '3.11'"),
        (
            'tomli={version="*",python="~3.9 || 3.11.4"}',
            "tomli ; (python_version >= '3.9' and python_version < '3.10' or python_full_version == '3.11.4')",
        ),
        ('six={version="1.16",markers="os_name == \'nt\'"}', "six==1.16 ; os_name == 'nt'"),
        ('six={version="1.16",platform="win32"}', "six==1.16 ; sys_platform == 'win32'"),
        ('six={version="1.16",extras=["a b",1,"c"]}', "six[c]==1.16"),
    ],
)
def test_extras_and_conditions(tmp_path: Path, said: str, line: str) -> None:
    assert lines(tmp_path, HEAD + said) == [line]


def test_several_cases_and_what_is_optional(tmp_path: Path) -> None:
    text = (
        HEAD + 'pg={version="2",optional=true}\n'
        'numpy=[{version="1.26.4",python="<3.12"},{version="2.1.0",python=">=3.12"}]\n'
        '[tool.poetry.dev-dependencies]\nblack="24.1.0"\n'
        '[tool.poetry.group.dev.dependencies]\npytest="^7.4"\n'
        '[tool.poetry.group.docs]\noptional=true\n[tool.poetry.group.docs.dependencies]\nmarkdown="3.5"\n'
    )
    assert lines(tmp_path, text) == [
        "numpy==1.26.4 ; python_version < '3.12'",
        "numpy==2.1.0 ; python_version >= '3.12'",
        "black==24.1.0",
        "pytest>=7.4,<8",
    ]


GROUPS = """[project]
name="x"
dependencies=["six==1.16.0"]
[dependency-groups]
test=["pytest==8"]
dev=["idna==3.7",{include-group="lint"}]
lint=["ruff==0.5",{include-group="dev"}]
"""


@pytest.mark.parametrize(
    ("tool", "more"),
    [
        ("[tool.pdm]\ndistribution=false", ["pytest==8", "idna==3.7", "ruff==0.5"]),
        ('[tool.pdm.dev-dependencies]\nd=["-e ./a","tqdm"]', ["pytest==8", "idna==3.7", "ruff==0.5", "tqdm"]),
        ("", ["idna==3.7", "ruff==0.5"]),
        ('[tool.uv]\ndefault-groups=["test"]\ndev-dependencies=["tqdm"]', ["pytest==8", "tqdm"]),
        ('[tool.uv]\ndefault-groups="all"', ["pytest==8", "idna==3.7", "ruff==0.5"]),
        (
            "[tool.poetry.group.dev]\noptional=true",
            ["pytest==8", "ruff==0.5", "idna==3.7"],
        ),
    ],
)
def test_groups_that_are_installed_anyway(tmp_path: Path, tool: str, more: list[str]) -> None:
    assert lines(tmp_path, GROUPS + tool) == ["six==1.16.0", *more]


def test_nobody_gets_groups_with_a_package(tmp_path: Path) -> None:
    (tmp_path / "PKG-INFO").write_text("Name: x\nVersion: 1\n")
    assert lines(tmp_path, GROUPS) == ["six==1.16.0"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("pyproject__toml", HEAD + 'six="^1.16"', True),
        ("pyproject__toml", '[project]\nname="x"\ndependencies=["six>=1"]', True),
        ("requirements__txt", "six\nidna==3.7\n", True),
        ("requirements__txt", "six==1.*\n", True),
        ("requirements__txt", "six==1.16.0 ; os_name=='posix'\nidna==3.7 --hash=sha256:00\n", False),
        ("poetry__lock", '[[package]]\nname="six"\nversion="1.16.0"\nfiles=[]', False),
    ],
)
def test_versions_that_nobody_settled_are_noted(tmp_path: Path, name: str, text: str, told: bool) -> None:
    assert (NO_LOCK in laid(tmp_path, **{name: text}).notes) is told


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname="x"\nversion="1"\ndependencies="six"',
        '[project]\nname="x"\nversion="1"\ndependencies=["six",1]',
        '[project]\nname="x"\nversion="1"\n[project.dependencies]\nsix="1.16.0"',
        '[tool.poetry]\nname="x"\ndependencies=["six"]',
    ],
)
def test_dependencies_of_another_kind_make_it_inconclusive(tmp_path: Path, text: str) -> None:
    (said,) = [
        text for text in laid(tmp_path, pyproject__toml=text).coverage(()).reasons if "scan again" in text
    ]
    assert "dependencies in pyproject.toml" in said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: Invalid requirement: 'six=1' (from line 1 of LIST)", "'six=1' (from requirements.txt)"),
        ("ERROR: Could not find a version of x (from -r LIST (line 3))", "of x (from requirements.txt)"),
        ("error: Couldn't parse requirement in `UV` at position 0", "in `requirements.txt` at position 0"),
    ],
)
def test_what_is_said_of_our_lists_is_said_of_the_users_file(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "requirements.txt").write_text("six\n")
    (plan,) = plans(stage("bad", tmp_path), PlanOptions())
    (command,) = plan.after_fetch(BoxTree(tmp_path), ()).commands
    words = said.replace("LIST", f"{plan.project}/requirements.lock").replace("UV", closed.LIST)
    reasons = " ".join(plan.coverage([CommandRun("install", "default", command, 1, 1, 2, 1, words)]).reasons)
    assert told in reasons
    assert "requirements.lock" not in reasons


@pytest.mark.parametrize(
    ("frozen", "missing"),
    [([], []), (["tomli==2.0.1 --hash=sha256:00"], ["1 package of the tree was not installed"])],
)
def test_what_is_for_other_pythons_is_not_missed(
    tmp_path: Path, frozen: list[str], missing: list[str]
) -> None:
    (tmp_path / "requirements.txt").write_text("tomli==2.0.1 ; python_version < '3.11'\n")
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    (tmp_path / ".venv/lib/python3.11/site-packages").mkdir(parents=True)
    (tmp_path / ".venv/tree.json").write_text(json.dumps({"frozen": frozen, "builds": [], "missing": {}}))
    tree = BoxTree(tmp_path, plan.project)
    uv = plan.fetch.commands[-1]
    plan.after_fetch(tree, [CommandRun("fetch", "default", uv, 1, 1, 2, 0)])
    plan.later(tree)
    said = [reason for reason in plan.coverage(()).reasons if "of the tree" in reason]
    assert [reason.partition(":")[0] for reason in said] == missing
