"""Manifests beside the project's own: whose dependencies are asked for too, and which are only told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems import elsewhere
from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.npm import members
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import NothingToScanError

P = "/home/dev/projects/p"


def _write(folder: Path, **more: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"name": folder.name, "version": "1.0.0", **more}
    (folder / "package.json").write_text(json.dumps(manifest))
    return manifest


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["packages/*"], {"packages/one", "packages/two"}),
        ({"packages": ["./packages/one"]}, {"packages/one"}),
        (["packages/{one,two}"], {"packages/one", "packages/two"}),
        (["**"], {"packages/one", "packages/two", "apps/web/ui", ""}),
        (["apps/**"], {"apps/web/ui"}),
        (["../outside", "!packages/one", 7, "packages/o*"], {"packages/one"}),
        ("packages/*", set()),
    ],
)
def test_members_of_workspaces(tmp_path: Path, patterns: Any, expected: set[str]) -> None:
    root = _write(tmp_path, workspaces=patterns)
    for name in ("packages/one", "packages/two", "apps/web/ui", "packages/one/node_modules/x"):
        _write(tmp_path / name)
    found = members.manifests(BoxTree(tmp_path, P), P, root)
    assert {folder[len(P) + 1 :] for folder in found} == expected


def test_folders_that_are_depended_on_are_followed(tmp_path: Path) -> None:
    root = _write(tmp_path, dependencies={"a": "file:./libs/a", "evil": "file:../../etc"})
    _write(tmp_path / "libs/a", dependencies={"b": "link:../b", "left-pad": "1.3.0"})
    _write(tmp_path / "libs/b", dependencies={"a": "file:../a", "is-number": "7.0.0"})
    assert set(members.manifests(BoxTree(tmp_path, P), P, root)) == {f"{P}/libs/a", f"{P}/libs/b"}
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    assert plan.registry[0].names >= {"left-pad", "is-number"}


def test_endless_patterns_end(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(40):
        folder = folder / "d"
    folder.mkdir(parents=True)
    root = _write(tmp_path, workspaces=["**/**/*", "**/**/**/**/**/**/*"] * 50)
    assert set(members.manifests(BoxTree(tmp_path, P), P, root)) <= {P}


def test_manifests_below_are_told(tmp_path: Path) -> None:
    _write(tmp_path, workspaces=["packages/*"])
    for name in ("packages/one", "backend/js", "tests/fixture", "node_modules/x", "a/b/c/d"):
        _write(tmp_path / name)
    (tmp_path / "backend/requirements.txt").write_text("six\n")
    assert elsewhere.manifests(BoxTree(tmp_path, P), P) == [
        "backend/requirements.txt",
        "backend/js/package.json",
    ]
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    assert any("backend/requirements.txt" in note for note in plan.notes)


def test_several_ecosystems_are_several_plans(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "requirements.txt").write_text("six==1.16.0\n")
    (tmp_path / "Gemfile").write_text('source "https://gems.example"\ngem "rake"\n')
    assert [p.target.ecosystem for p in plans(stage("p", tmp_path), PlanOptions())] == ["npm", "pypi", "gem"]
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    found = plans(stage("p", tmp_path), PlanOptions())
    assert [p.target.ecosystem for p in found] == ["npm", "gem"]
    assert any("asks for no package" in note for note in found[0].notes)
    with pytest.raises(NothingToScanError, match="asks for no package"):
        plans(stage("p", tmp_path), PlanOptions(), "pip")


@pytest.mark.parametrize(
    ("npmrc", "hooks", "alone"),
    [
        ("", "", True),
        ("git=./evil.sh\n", "", False),
        ("node-options = -r x\n", "", False),
        ("", "hooks", False),
    ],
)
def test_what_may_run_while_pnpm_fetches(tmp_path: Path, npmrc: str, hooks: str, alone: bool) -> None:
    _write(tmp_path)
    (tmp_path / "pnpm-lock.yaml").write_text("lockfileVersion: '9.0'\n")
    (tmp_path / ".npmrc").write_text(npmrc)
    if hooks:
        (tmp_path / ".pnpmfile.cjs").write_text(hooks)
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    assert plan.fetches_alone is alone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packages:\n  - packages/*\ncatalog:\n  ms: 2.1.3\n", {"packages/one", "packages/two"}),
        ("packages: ['**', '!packages/one']\n", {"", "packages/one", "packages/two", "apps/web/ui"}),
        ("packages: 7\n", set()),
        ("packages: [", set()),
        ("- packages/*\n", set()),
    ],
)
def test_members_of_pnpms_workspaces(tmp_path: Path, text: str, expected: set[str]) -> None:
    root = _write(tmp_path)
    for name in ("packages/one", "packages/two", "apps/web/ui"):
        _write(tmp_path / name)
    (tmp_path / "pnpm-workspace.yaml").write_text(text)
    found = members.manifests(BoxTree(tmp_path, P), P, root)
    assert set(found) == {f"{P}/{name}".rstrip("/") for name in expected}
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    told = [note for note in plan.notes if "were not looked at" in note]
    assert bool(told) is ("apps/web/ui" not in expected)
