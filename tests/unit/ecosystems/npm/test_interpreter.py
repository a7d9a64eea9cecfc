"""What a project says of its Node.js, in every place where it may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.npm import interpreter
from package_hunter.ecosystems.npm.planning import NpmPlanning
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.interpreters import Interpreter

DEFAULT = Interpreter("node", "24.19.0")
OTHERS = tuple(
    Interpreter("node", version, f"/usr/local/opt/node{version.split('.')[0]}")
    for version in ("18.20.8", "20.20.2", "22.23.5", "26.12.1")
)
HERE = (*OTHERS, DEFAULT)
PROJECT = "/home/dev/projects/app"

BY_MANIFEST: list[tuple[dict[str, Any], str]] = [
    ({"engines": {"node": "^20 || ^22"}}, "22.23.5"),
    ({"engines": {"node": ">=26"}}, "26.12.1"),
    ({"engines": {"node": "18.x"}}, "18.20.8"),
    ({"engines": {"node": ">=18 <23"}}, "22.23.5"),
    ({"engines": {"node": ">=18"}}, "24.19.0"),
    ({"volta": {"node": "22.11.0"}}, "22.23.5"),
    ({"devEngines": {"runtime": {"name": "node", "version": "^22"}}}, "22.23.5"),
    ({"devEngines": {"runtime": [{"name": "bun"}, {"name": "node", "version": "20"}]}}, "20.20.2"),
    ({"packageManager": "pnpm@10.1.0+sha512.abc"}, "24.19.0"),
    ({"packageManager": "npm@11.0.0", "engines": {"node": "<23"}}, "22.23.5"),
    ({"engines": ["node >= 0.8"], "volta": 3, "packageManager": {}}, "24.19.0"),
    ({"engines": {"node": "no range"}}, "24.19.0"),
    ({"engines": {"node": "14.x"}}, "18.20.8"),
    ({"engines": {"node": ">=10 <17"}, "packageManager": "pnpm@11.0.0"}, "22.23.5"),
    ({"engines": {"node": "28.x"}}, "24.19.0"),
]
BY_FILE = [
    (".nvmrc", "v20.11.0\n", "20.20.2"),
    (".nvmrc", "# a remark\n\n22 # and another\n", "22.23.5"),
    (".nvmrc", "lts/hydrogen\n", "18.20.8"),
    (".nvmrc", "lts/Jod", "22.23.5"),
    (".nvmrc", "lts/*\n", "24.19.0"),
    (".nvmrc", "node\n", "24.19.0"),
    (".node-version", "26", "26.12.1"),
    (".node-version", "20.x\n", "20.20.2"),
    (".tool-versions", "python 3.12\nnodejs 18.19.0\n", "18.20.8"),
]


@pytest.mark.parametrize(("manifest", "version"), BY_MANIFEST)
def test_the_manifest_is_read(manifest: dict[str, Any], version: str, tmp_path: Path) -> None:
    found = interpreter.chosen(BoxTree(tmp_path, PROJECT), PROJECT, manifest, HERE)
    assert found.interpreter is not None
    assert found.interpreter.version == version


@pytest.mark.parametrize(("name", "text", "version"), BY_FILE)
def test_each_file_is_read(name: str, text: str, version: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    found = interpreter.chosen(BoxTree(tmp_path, PROJECT), PROJECT, {}, HERE)
    assert found.interpreter is not None
    assert found.interpreter.version == version


def test_everything_of_the_plan_runs_on_it(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"name": "a", "scripts": {"postinstall": "x"}}))
    (tmp_path / ".nvmrc").write_text("20")
    plan = NpmPlanning().plan(stage("app", tmp_path), PlanOptions(interpreters=HERE))
    assert "/usr/local/opt/node20/bin:" in plan.env["PATH"]
    install = plan.after_fetch(BoxTree(tmp_path, plan.project), [])
    assert {command.argv[0] for command in install.commands} == {"/usr/local/opt/node20/bin/node"}
    assert any("Node.js 20.20.2 was used" in note for note in plan.notes)


def test_one_that_is_not_here_is_told_with_its_command(tmp_path: Path) -> None:
    (tmp_path / ".nvmrc").write_text("16.20")
    found = interpreter.chosen(BoxTree(tmp_path, PROJECT), PROJECT, {}, HERE)
    assert found.interpreter == DEFAULT
    assert "`package-hunter image build --node 16`" in found.notes[0]


def _notes(tmp_path: Path, manifest: dict[str, Any], here: tuple[Interpreter, ...] = HERE) -> tuple[str, ...]:
    return interpreter.chosen(BoxTree(tmp_path, PROJECT), PROJECT, manifest, here).notes


@pytest.mark.parametrize("manager", ["yarn@4.1.0", "pnpm@10.4.1", "npm@11.0.0+sha512.a"])
def test_a_package_manager_asks_for_no_node_itself(manager: str, tmp_path: Path) -> None:
    assert _notes(tmp_path, {"packageManager": manager}) == ()
    (said,) = _notes(tmp_path, {"packageManager": manager, "engines": {"node": "^22"}})
    assert "22.23.5 was used, as the project asks (engines in package.json: ^22)" in said


def test_where_it_made_the_choice_the_reason_is_said(tmp_path: Path) -> None:
    old = (Interpreter("node", "16.20.0"), *OTHERS)
    (said,) = _notes(tmp_path, {"packageManager": "yarn@4.1.0"}, old)
    assert said == (
        "Node.js 18.20.8 was used: yarn 4 needs Node.js 18.12 or newer (packageManager in package.json: yarn@4.1.0)."
    )
    (told,) = _notes(tmp_path, {"packageManager": "yarn@4.1.0"}, old[:1])
    assert (
        told.startswith("yarn 4 needs Node.js 18.12 or newer (packageManager") and "16.20.0 was used" in told
    )
