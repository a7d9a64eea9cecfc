"""Optional dependencies that no registry has, and that npm went on without: named, since nobody looked at them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.npm.manifest import from_elsewhere
from package_hunter.ecosystems.tree import BoxTree


@pytest.mark.parametrize(
    "spec",
    [
        "git+ssh://git@git.example/a/b.git#v1",
        "git://git.example/a/b",
        "github:a/b",
        "a/b",
        "a/b#semver:^1",
        "git@git.example:a/b.git",
        "https://files.example/a.tgz",
        "file:../a",
        "link:./a",
        "portal:../a",
        "../a",
        "./a.tgz",
        "~/a",
        "/srv/a",
        "gist:1234",
    ],
)
def test_what_no_registry_has(spec: str) -> None:
    assert from_elsewhere(spec)


@pytest.mark.parametrize(
    "spec",
    [
        "1.0.0",
        "^1 || ~2.1",
        "~1.2",
        "*",
        "",
        "latest",
        "npm:other@1",
        "npm:@s/other@^1",
        ">=1 <2",
        "workspace:*",
    ],
)
def test_what_a_registry_has(spec: str) -> None:
    assert not from_elsewhere(spec)


@pytest.mark.parametrize("there", [False, True])
def test_an_optional_one_that_is_not_there_is_named(tmp_path: Path, there: bool) -> None:
    asked = {
        "here": "file:libs/here",
        "far": "git+ssh://git@git.example/a/far.git",
        "out": "file:../out",
        "plain": "^1.0.0",  # a registry's: npm leaves it out where it does not fit the system
    }
    root = {"name": "app", "version": "1.0.0", "optionalDependencies": asked}
    places: dict[str, object] = {
        "node_modules/dep": {"version": "1.0.0", "optionalDependencies": {"inner": "a/inner"}},
        "node_modules/here": {"resolved": "libs/here", "link": True},
        "libs/here": {"version": "1.0.0"},
        "node_modules/out": {"resolved": "../out", "link": True},
    }
    files: dict[str, object] = {
        "package.json": root,
        "node_modules/dep/package.json": {
            "name": "dep",
            "version": "1.0.0",
            "optionalDependencies": {"inner": "a/inner"},
        },
        "libs/here/package.json": {"name": "here", "version": "1.0.0"},
        "node_modules/.package-lock.json": {"lockfileVersion": 3, "packages": places},
    }
    if there:
        for name in ("far", "inner"):
            places[f"node_modules/{name}"] = {"version": "1.0.0"}
            files[f"node_modules/{name}/package.json"] = {"name": name, "version": "1.0.0"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    (plan,) = plans(stage("app", tmp_path), PlanOptions(), "npm")
    plan.after_fetch(BoxTree(tmp_path, plan.project), ())
    named = [r.split()[0] for r in plan.coverage(()).reasons if "was not scanned" in r]
    assert named == (["out"] if there else ["far", "out", "inner"])
