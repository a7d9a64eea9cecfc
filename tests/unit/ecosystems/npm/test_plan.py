"""The plan of an npm project: what is told of what could not be had, of what is not built, and of a lock file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.npm import outside
from package_hunter.ecosystems.npm.planning import NpmPlanning
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import BoxFile

HOSTS = PlanOptions(registry_hosts=frozenset({"registry.example"}))
OURS = "https://registry.example/ms/-/ms-2.1.3.tgz"
ROOT = {"name": "app", "version": "1.0.0", "dependencies": {"odd": "github:a/odd", "ms": "2.1.3"}}
LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": ROOT,
        "node_modules/odd": {"version": "3.0.1", "resolved": "git+ssh://git@git.example/a/odd.git#b3"},
        "node_modules/ms": {"version": "2.1.3", "resolved": OURS, "integrity": "sha512-x"},
    },
}


def _project(folder: Path, files: dict[str, Any], options: PlanOptions = HOSTS) -> tuple[Plan, BoxTree]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    (plan,) = plans(stage("app", folder), options, "npm")
    return plan, BoxTree(folder, plan.project)


def test_what_lies_outside_is_asked_for_by_the_driver(tmp_path: Path) -> None:
    plan, _ = _project(tmp_path, {"package.json": ROOT, "package-lock.json": LOCK})
    (command,) = plan.fetch.commands
    assert command.argv[1:5] == (outside.DRIVER, outside.LIST, "npm", "ci") and command.script == "npm ci"
    (listed,) = [file for file in plan.files if file.path == outside.LIST]
    assert listed.owner == "root" and [c["name"] for c in json.loads(listed.content)["candidates"]] == ["odd"]


def test_an_ordinary_project_is_fetched_by_its_manager_alone(tmp_path: Path) -> None:
    root = {**ROOT, "dependencies": {"ms": "2.1.3"}}
    packages = {"": root, "node_modules/ms": LOCK["packages"]["node_modules/ms"]}  # type: ignore[index]
    plan, _ = _project(tmp_path, {"package.json": root, "package-lock.json": {**LOCK, "packages": packages}})
    assert plan.fetch.commands[0].argv[:2] == ("npm", "ci")
    assert not any(file.path in (outside.DRIVER, outside.LIST) for file in plan.files)


def test_what_could_not_be_had_is_named_and_the_rest_is_there(tmp_path: Path) -> None:
    plan, tree = _project(tmp_path, {"package.json": ROOT, "package-lock.json": LOCK})
    left = {
        "node_modules/ms/package.json": {"name": "ms", "version": "2.1.3"},
        "node_modules/ms/index.js": "",
        "node_modules/.package-lock.json": LOCK,
    }
    _project(tmp_path, left)
    plan.after_fetch(tree, ())
    assert [command.blame_purl for command in plan.imports(tree).commands] == ["pkg:npm/ms@2.1.3"]
    coverage = plan.coverage(())
    assert [p.name for p in plan.inventory()] == ["ms"]
    assert (coverage.packages_expected, coverage.reasons[0].partition(",")[0]) == (2, "odd@3.0.1")
    assert "asked for by app" in coverage.reasons[0] and "git.example" in coverage.reasons[0]
    assert "1 package of the tree was not installed: odd." in coverage.reasons


def test_the_projects_own_folder_that_is_not_built_is_a_note(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "package.json": {
            "name": "app",
            "dependencies": {"dist": "link:./dist", "core": "link:./core", "ms": "2"},
        },
        "yarn.lock": 'dist@link:./dist:\n  version "0.0.0"\n',
        "core/package.json": {"name": "core", "version": "1.0.0", "main": "dist/index.js"},
        "node_modules/ms/package.json": {"name": "ms", "version": "2.0.0"},
        "node_modules/ms/index.js": "",
    }
    plan, tree = _project(tmp_path, files)
    for name in ("dist", "core"):
        (tmp_path / "node_modules" / name).symlink_to(f"../{name}")
    plan.after_fetch(tree, ())
    assert [command.blame_purl for command in plan.imports(tree).commands] == ["pkg:npm/ms@2.0.0"]
    coverage = plan.coverage(())
    assert not [reason for reason in coverage.reasons if "phase" not in reason]
    assert any(
        "not built: its own core, dist" in note or "its own dist, core" in note for note in coverage.notes
    )


def test_a_registry_of_the_projects_own_is_a_reason_without_a_lock_file(tmp_path: Path) -> None:
    files = {
        "package.json": {"name": "app", "dependencies": {"ms": "2"}},
        ".npmrc": "; registry=https://npm.corp.example/\n",
        "node_modules/ms/package.json": {"name": "ms", "version": "2.0.0"},
    }
    plan, tree = _project(tmp_path, files)
    plan.after_fetch(tree, ())
    assert any("npm.corp.example" in reason for reason in plan.coverage(()).reasons)


def test_the_lock_of_a_closed_fetch_is_that_of_later_boxes(tmp_path: Path) -> None:
    manifest = {"name": "app", "dependencies": {"ms": "2"}}
    plan, tree = _project(tmp_path, {"package.json": manifest})
    assert plan.fetches_alone
    (tmp_path / "package-lock.json").write_text("{}")
    plan.keep_locks(tree)
    assert plan.frozen == (BoxFile(f"{plan.project}/package-lock.json", b"{}"),)
    (later,) = plans(stage("app", tmp_path), HOSTS, "npm")
    later.take_locks(plan.frozen)
    assert later.files[-1] == plan.frozen[0]


def test_an_open_fetch_leaves_none(tmp_path: Path) -> None:
    plan, tree = _project(tmp_path, {"package.json": {"name": "app"}, ".npmrc": "git=./x"})
    (tmp_path / "package-lock.json").write_text("{}")
    plan.keep_locks(tree)
    assert not plan.fetches_alone and plan.frozen == ()


@pytest.mark.parametrize(
    ("manager", "shim"),
    [("pnpm@10.4.1", "pnpm"), ("yarn@4.1.0", "yarn"), ("yarn@1.22.22", ""), ("npm@10.0.0", "")],
)
def test_scripts_find_the_manager_that_the_fetch_took_out_of_the_registry(
    tmp_path: Path, manager: str, shim: str
) -> None:
    text = {"name": "a", "packageManager": manager, "scripts": {"postinstall": "pnpm -r run build"}}
    (tmp_path / "package.json").write_text(json.dumps(text))
    plan = NpmPlanning().plan(stage("app", tmp_path), PlanOptions())
    planted = [file for file in plan.files if file.path.startswith("/usr/share/npm/bin/")]
    assert [(file.path, file.owner, file.mode) for file in planted] == (
        [(f"/usr/share/npm/bin/{shim}", "root", 0o755)] if shim else []
    )
    (script,) = plan.after_fetch(BoxTree(tmp_path, plan.project), []).commands
    assert script.env.get("PATH", "").startswith("/usr/share/npm/bin:") is bool(shim)
    assert "/usr/share/npm/bin" not in str(plan.fetch.commands[0].env)
