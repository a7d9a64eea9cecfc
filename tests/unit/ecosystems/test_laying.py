"""Which folders of a project are targets of a scan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems import elsewhere
from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import lay
from package_hunter.errors import NothingToScanError


def project(folder: Path, *files: str, **texts: str) -> Path:
    """A folder with manifests: each asks for one package."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_npm = name.endswith("package.json")
        path.write_text(json.dumps({"dependencies": {"ms": "2.1.3"}}) if is_npm else "idna==3.7\n")
    for name, text in texts.items():
        (folder / name.replace("__", "/")).write_text(text)
    return folder


def laid(folder: Path, recursive: bool = True, ecosystem: str | None = None) -> list[Plan]:
    return lay(stage("app", folder), PlanOptions(recursive=recursive), ecosystem)


def places(found: list[Plan]) -> list[tuple[str, str]]:
    return [(plan.target.ecosystem, plan.project.removeprefix(plan.root).strip("/")) for plan in found]


def test_folders_below_are_targets_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = project(tmp_path, "backend/requirements.txt", "frontend/package.json", "tests/package.json")
    found = laid(folder)
    assert places(found) == [("pypi", "backend"), ("npm", "frontend")]
    assert [plan.target.name for plan in found] == ["app/backend", "app/frontend"]
    assert {plan.root for plan in found} == {"/home/dev/projects/app"}
    assert [plan.plant for plan in found] == [folder, folder]
    assert places(laid(folder, ecosystem="npm")) == [("npm", "frontend")]


def test_the_top_is_one_of_them_and_its_note_is_gone(tmp_path: Path) -> None:
    folder = project(tmp_path, "package.json", "backend/requirements.txt")
    assert places(laid(folder)) == [("npm", ""), ("pypi", "backend")]
    assert not any("not looked at" in note for plan in laid(folder) for note in plan.notes)
    (one,) = laid(folder, recursive=False)
    assert any("backend/requirements.txt" in note and "--recursive" in note for note in one.notes)


def test_what_is_scanned_with_another_is_no_target_of_its_own(tmp_path: Path) -> None:
    folder = project(tmp_path, "web/package.json", "web/packages/a/package.json", "web/other/package.json")
    text = json.dumps({"workspaces": ["packages/*"], "dependencies": {"ms": "2.1.3"}})
    (folder / "web/package.json").write_text(text)
    assert places(laid(folder)) == [("npm", "web"), ("npm", "web/other")]


@pytest.mark.parametrize("pattern", ["apps/*", "./apps/**"])
def test_members_of_a_pnpm_workspace_are_looked_at(tmp_path: Path, pattern: str) -> None:
    folder = project(tmp_path, "package.json", "apps/web/package.json", "lone/package.json")
    (folder / "pnpm-workspace.yaml").write_text(f"packages:\n  - '{pattern}'\n")
    (one,) = laid(folder, recursive=False)
    (note,) = [note for note in one.notes if "not looked at" in note]
    assert "lone/package.json" in note and "apps/web" not in note


def test_without_one_at_the_top_those_below_are_named(tmp_path: Path) -> None:
    folder = project(tmp_path, "backend/requirements.txt", "frontend/package.json")
    with pytest.raises(NothingToScanError) as told:
        laid(folder, recursive=False)
    assert "backend/requirements.txt, frontend/package.json" in told.value.message
    assert "--recursive" in told.value.advice
    with pytest.raises(NothingToScanError) as told:
        laid(project(tmp_path / "none"), recursive=False)
    assert "no manifest was found" in told.value.message


def test_a_broken_manifest_below_is_told_not_passed_over(tmp_path: Path) -> None:
    folder = project(tmp_path, "package.json", "web/package.json")
    (folder / "web/package.json").write_text("{")
    with pytest.raises(NothingToScanError, match="app/web"):
        laid(folder)


def test_one_that_asks_for_nothing_is_a_note(tmp_path: Path) -> None:
    folder = project(tmp_path, "web/package.json", "docsite/requirements.txt")
    (folder / "docsite/requirements.txt").write_text("# nothing\n")
    found = laid(folder)
    assert places(found) == [("npm", "web")] and found[0].notes


def test_too_many_are_a_reason(tmp_path: Path) -> None:
    folder = project(tmp_path, *(f"s{n:02}/package.json" for n in range(elsewhere.MAX_PARTS + 2)))
    found = laid(folder)
    assert len(found) == elsewhere.MAX_PARTS
    assert any("s20/package.json" in text or "s20" in text for text in found[0].reasons)


def test_scripts_are_the_projects_own_only_in_the_users_own_project(tmp_path: Path) -> None:
    folder = project(tmp_path, "package.json")
    (own,) = lay(stage("app", folder), PlanOptions())
    assert "prepare" in own.own_scripts
    (changed,) = lay(stage("app", folder), PlanOptions(own_project=False))
    assert changed.own_scripts == ()
    (package,) = lay(stage("app", purl="pkg:npm/ms@2.1.3"), PlanOptions())
    assert package.own_scripts == ()
