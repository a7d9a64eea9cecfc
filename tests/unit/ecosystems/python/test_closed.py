"""What uv is told in the box, and what is made of its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python.asked import RequirementSet
from package_hunter.ecosystems.python.closed import SCRIPT, Closed, Tree
from package_hunter.ecosystems.python.plan import PythonPlan
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Command, CommandRun

SHA = "sha256:" + "0" * 64


def laid(folder: Path, **files: str) -> PythonPlan:
    for name, text in files.items():
        path = folder / name.replace("__", ".").replace("_SLASH_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (plan,) = plans(stage("p", folder), PlanOptions())
    assert isinstance(plan, PythonPlan)
    return plan


def job(plan: PythonPlan) -> tuple[dict[str, Any], str, str]:
    """The order, what is asked for, and what limits it."""
    files = {file.path.rpartition("/")[2]: file for file in plan.files if file.owner == "root"}
    listed, limits = (files[name].content.decode() for name in ("requirements.txt", "constraints.txt"))
    return json.loads(files["resolve.json"].content), listed, limits


def install(plan: PythonPlan, box: Path, said: object, code: int = 0) -> tuple[Command, ...]:
    """The commands of the install phase after uv left ``said``."""
    (box / "home/dev/projects/p/.venv").mkdir(parents=True)
    (box / "home/dev/projects/p/.venv/tree.json").write_text(json.dumps(said))
    uv = plan.fetch.commands[-1]
    runs = [CommandRun("fetch", "default", uv, 1, 0, 1, code)]
    return plan.after_fetch(BoxTree(box), runs).commands


def test_the_fetch_is_closed(tmp_path: Path) -> None:
    plan = laid(tmp_path, requirements__txt="idna\n")
    assert plan.fetches_alone and plan.registry[0].manager_decides
    venv, uv = plan.fetch.commands
    assert venv.argv[:2] == ("python3", "-I") and uv.argv[:2] == ("/usr/bin/python3", "-I")
    assert not uv.essential, "where it fails, pip is asked"


def test_what_uv_is_told(tmp_path: Path) -> None:
    plan = laid(
        tmp_path / "p",
        requirements__txt=f"--pre\n-c limits.txt\nidna==3.7 --hash={SHA}\n./libs/x\ngit+https://git.example/a/far\n",
        limits__txt="six<2\n",
        libs_SLASH_x_SLASH_setup__py="from setuptools import setup; setup(name='near')",
    )
    told, listed, limits = job(plan)
    assert (listed, limits) == (f"idna==3.7 --hash={SHA}\n", "six<2\n")
    assert told["prereleases"] and not told["locked"] and not told["lock"]
    assert told["skipped"] == ["far", "near"], "no index is asked for what lies in the project or elsewhere"
    assert told["hashes"] == {"idna==3.7": [SHA]}


def test_a_lock_files_digests_are_told(tmp_path: Path) -> None:
    lock = f'[[package]]\nname = "Six"\nversion = "1.0"\nfiles = [{{file = "six.whl", hash = "{SHA}"}}]\n'
    told, listed, _ = job(laid(tmp_path, poetry__lock=lock))
    assert (listed, told["locked"], told["hashes"]) == ("Six==1.0\n", True, {"six==1.0": [SHA]})


def test_a_single_package_is_needed() -> None:
    (plan,) = plans(stage("x", purl="pkg:pypi/Requests@2.31.0"), PlanOptions())
    assert isinstance(plan, PythonPlan)
    assert job(plan)[0]["needed"] == ["requests"]


def test_only_builds_are_left_each_in_its_own_name(tmp_path: Path) -> None:
    plan = laid(tmp_path / "p", requirements__txt="idna\nold\nslow\n")
    said = {
        "frozen": ["idna==3.7 --hash=sha256:aa", "slow==2 --hash=sha256:bb"],
        "builds": ["old==1", "slow==2"],
        "missing": {},
    }
    commands = install(plan, tmp_path / "box", said)
    assert [command.blame_purl for command in commands] == ["pkg:pypi/old@1", "pkg:pypi/slow@2"]
    assert commands[0].argv[-1] == "old==1"
    assert commands[1].argv[-4:-1] == ("--no-deps", "--require-hashes", "-r")
    assert [command.script for command in commands] == ["pip install", "build"], (
        "pip may build others with it"
    )


def test_a_folder_that_says_how_it_is_built_is_built_by_uv_in_its_own_name(tmp_path: Path) -> None:
    own = "[build-system]\nrequires=['hatchling']\n[project]\nname='near'\nversion='1'\n"
    plan = laid(
        tmp_path / "p",
        requirements__txt="./libs/new\n./libs/old\n",
        libs_SLASH_new_SLASH_pyproject__toml=own,
        libs_SLASH_old_SLASH_setup__py="from setuptools import setup; setup(name='old')",
    )
    new, old = plan.after_fetch(BoxTree(tmp_path), ()).commands
    assert (new.argv[2:4], new.script, new.blame_purl) == ((SCRIPT, "--build"), "build", "pkg:pypi/near")
    assert ("pip" in old.argv, old.script, old.blame_purl) == (True, "pip install", "pkg:pypi/old")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"frozen": [], "builds": [], "missing": {}}, 1),
        ([], 0),
        ({"frozen": "idna", "builds": []}, 0),
        ({"frozen": ["--index-url https://x.example"], "builds": []}, 0),
        ({"frozen": ["idna==3.7"], "builds": ["-r /etc/passwd"]}, 0),
        ({"frozen": ["idna==3.7"]}, 0),
    ],
)
def test_without_a_sound_tree_pip_is_asked_for_all(tmp_path: Path, said: object, code: int) -> None:
    plan = laid(tmp_path / "p", requirements__txt="-c c.txt\nidna\n", c__txt="idna<4\n")
    (command,) = install(plan, tmp_path / "box", said, code)
    assert command.argv[-4:] == (
        "-c",
        "/home/dev/projects/p/constraints.lock",
        "-r",
        "/home/dev/projects/p/requirements.lock",
    )


def test_what_cannot_be_had_is_named_with_uvs_reason(tmp_path: Path) -> None:
    plan = laid(tmp_path / "p", requirements__txt="idna\nacme==2\n")
    words = "error: No solution\n  cause: Because acme was not found in the\n package registry and you require acme==2"
    install(plan, tmp_path / "box", {"frozen": ["idna==3.7"], "builds": [], "missing": {"acme": words}})
    plan.later(BoxTree(tmp_path / "box"))
    reasons = plan.coverage(()).reasons
    assert "acme was not scanned: acme was not found in the package registry." in reasons
    assert not any("2 packages of the tree" in reason for reason in reasons)


def test_a_tree_without_extras_and_digests_is_a_list_of_names() -> None:
    tree = Tree(("A.b[x]==1 --hash=sha256:aa", "c==2"), ("d==3",))
    assert tree.names == ["a-b", "c", "d"]
    assert tree.build_of("c==2", "/p") == ("--no-deps", "c==2")
    assert tree.build_of("A.b==1", "/p")[:2] == ("--no-deps", "--require-hashes")
    assert tree.build_of("d==3", "/p") == ("d==3",)


def test_nothing_by_name_needs_no_resolution() -> None:
    wanted = RequirementSet()
    assert not Closed(wanted, "/p", None).asked
    wanted.lines.append("--no-binary :all:")
    assert not Closed(wanted, "/p", None).asked


def test_the_projects_options_hold_for_builds_too(tmp_path: Path) -> None:
    (tmp_path / "p/shelf").mkdir(parents=True)
    text = "--find-links ./shelf\n--no-binary=old\n--require-hashes\nold==1\n"
    plan = laid(tmp_path / "p", requirements__txt=text)
    (command,) = install(plan, tmp_path / "box", {"frozen": [], "builds": ["old==1"], "missing": {}})
    shelf = ("--find-links", "/home/dev/projects/p/shelf")
    assert command.argv[-5:] == (*shelf, "--no-binary=old", "--use-pep517", "old==1")


def test_the_projects_own_folders_of_archives_are_told(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    told, _, _ = job(laid(tmp_path, requirements__txt="--no-index\n--find-links ./shelf\n--no-index\nold\n"))
    assert told["folders"] == ["--find-links /home/dev/projects/p/shelf", "--no-index"]


def test_uv_is_told_which_packages_come_from_their_source(tmp_path: Path) -> None:
    told, listed, _ = job(
        laid(tmp_path, requirements__txt="--no-binary Six,idna\n--only-binary idna\nsix\nidna\n")
    )
    assert listed == "--no-binary six\n--only-binary idna\nsix\nidna\n"
    assert told["formats"] == {"sources": ["six"], "wheels": ["idna"], "rest": ""}


def test_where_pip_is_asked_for_all_it_builds_wheels_of_what_comes_from_its_source(tmp_path: Path) -> None:
    plan = laid(tmp_path / "p", requirements__txt="--no-binary old\nold==1\n")
    (command,) = install(plan, tmp_path / "box", {}, code=1)
    assert command.argv[-3:] == ("--use-pep517", "-r", "/home/dev/projects/p/requirements.lock")
