"""Each thing that brings foreign code into a fetch is noticed; what only looks like it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans

PNPM_LOCK = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n"
BERRY_LOCK = "__metadata:\n  version: 8\n"
YARN_LOCK = "# yarn lockfile v1\n"
DEPENDENCY = {"ms": "2.1.3"}


def _alone(folder: Path, files: dict[str, str], options: PlanOptions | None = None, **manifest: Any) -> bool:
    found = {"name": "app", "version": "1.0.0", "dependencies": DEPENDENCY, **manifest}
    for name, text in {"package.json": json.dumps(found), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (plan,) = plans(stage("app", folder), options or PlanOptions(), "npm")
    assert all(allow.manager_decides == plan.fetches_alone for allow in plan.registry)
    return plan.fetches_alone


@pytest.mark.parametrize(
    "setting",
    [
        "git=./evil.sh",
        "git = ./evil.sh",
        '"git"=./evil.sh',
        '"g\\u0069t"=./evil.sh',
        "git[]=./evil.sh",
        "script-shell=./evil.sh",
        "scriptShell=./evil.sh",
        "shell=./evil.sh",
        "node-options=--require ./evil.js",
        "node_options=--require ./evil.js",
        "node-gyp=./evil.js",
        "audit=false\r\ngit=./evil.sh",
        "[section]\nx=1\n  git=./evil.sh",
    ],
)
@pytest.mark.parametrize("lock", [{}, {"pnpm-lock.yaml": PNPM_LOCK}, {"yarn.lock": YARN_LOCK}])
def test_settings_that_name_programs(tmp_path: Path, setting: str, lock: dict[str, str]) -> None:
    assert not _alone(tmp_path, {".npmrc": setting, **lock})


@pytest.mark.parametrize("name", [".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js"])
def test_hooks_of_pnpm(tmp_path: Path, name: str) -> None:
    assert not _alone(tmp_path, {name: "", "pnpm-lock.yaml": PNPM_LOCK})


@pytest.mark.parametrize(
    "text",
    [
        "pnpmfile: evil.cjs",
        "'pnpmfile': evil.cjs",
        '"\\x70npmfile": evil.cjs',
        "configDependencies:\n  pnpm-plugin-x: 1.0.0+sha512-x",
        "globalPnpmfile: /tmp/x.cjs",
        "nodeOptions: --require ./evil.js",
        "useNodeVersion: 20.0.0",
        "scriptShell: ./evil.sh",
        "a: [",
    ],
)
def test_what_pnpms_own_file_loads(tmp_path: Path, text: str) -> None:
    assert not _alone(tmp_path, {"pnpm-workspace.yaml": f"packages: ['a']\n{text}\n"})


@pytest.mark.parametrize(
    "manifest",
    [
        {"pnpm": {"configDependencies": {"x": "1.0.0"}}},
        {"pnpm": {"executionEnv": {"nodeVersion": "20.0.0"}}},
        {"devEngines": {"runtime": {"name": "node", "onFail": "download"}}},
    ],
)
def test_what_the_manifest_makes_pnpm_load(tmp_path: Path, manifest: dict[str, Any]) -> None:
    assert not _alone(tmp_path, {"pnpm-lock.yaml": PNPM_LOCK}, **manifest)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".yarnrc.yml", "yarnPath: .yarn/releases/yarn.cjs"),
        (".yarnrc.yml", "plugins:\n  - path: .yarn/plugins/x.cjs"),
        (".yarnrc", 'yarn-path ".yarn/releases/yarn.js"'),
        (".yarnrc", "--script-shell ./evil.sh"),
    ],
)
def test_yarns_own_copies_and_plugins(tmp_path: Path, name: str, text: str) -> None:
    assert not _alone(tmp_path, {name: text, "yarn.lock": BERRY_LOCK})


@pytest.mark.parametrize(
    "asked", ["https://evil.example/pnpm.tgz", "pnpm@https://evil.example/x.tgz", "./tool", 7, ["pnpm@9.0.0"]]
)
def test_a_manager_by_its_address(tmp_path: Path, asked: object) -> None:
    assert not _alone(tmp_path, {}, packageManager=asked)


def test_settings_of_a_member(tmp_path: Path) -> None:
    member = {"packages/a/package.json": '{"name": "a"}', "packages/a/.npmrc": "git=./evil.sh"}
    assert not _alone(tmp_path, member, workspaces=["packages/*"])


def test_settings_behind_a_link_are_not_trusted(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").symlink_to("elsewhere")
    assert not _alone(tmp_path, {})


def test_repositories_that_are_fetched_truly(tmp_path: Path) -> None:
    """npm installs in them, by their own settings."""
    hosts = PlanOptions(fetch_hosts=frozenset({"git.example"}))
    git = {"x": "git+https://git.example/a/x.git"}
    assert not _alone(tmp_path, {}, hosts, dependencies=git)
    assert not _alone(tmp_path, {}, hosts), (
        "what a registry's packages ask for is not known without a lock file"
    )
    assert _alone(tmp_path, {}, dependencies=git), "where none can be fetched, none brings anything"


@pytest.mark.parametrize(
    "files",
    [
        {".npmrc": "legacy-peer-deps=true\n# git=x\n; shell=x\naudit=false\ngit-tag-version=false\n"},
        {".npmrc": "engine-strict=true\nauto-install-peers=true\n", "pnpm-lock.yaml": PNPM_LOCK},
        {"pnpm-workspace.yaml": "packages: ['a']\ncatalog:\n  git: 1.0.0\n  editor: ^2\n"},
        {".pnpmfile.cjs": "", "package-lock.json": "{}"},  # npm does not read it
        {"yarn.lock": BERRY_LOCK},
        {"yarn.lock": YARN_LOCK, ".yarnrc": "ignore-engines true"},
        {},
    ],
)
def test_an_ordinary_project_is_closed(tmp_path: Path, files: dict[str, str]) -> None:
    assert _alone(
        tmp_path, files, packageManager="pnpm@9.15.9+sha512.abc" if "pnpm" in str(files) else "npm@11.0.0"
    )
