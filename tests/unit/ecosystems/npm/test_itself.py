"""What of a project is a package itself, how it is loaded, and why it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import lay
from package_hunter.ecosystems.npm.itself import OwnLoad, Unloadable, own_load, sentences
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.depth import QUICK, STANDARD, Depth
from package_hunter.model.scan import Command, Coverage, Package

NAMED = {"name": "@s/lib", "version": "1.0.0"}


def write(folder: Path, files: dict[str, str], **manifest: Any) -> Path:
    for name, text in {**files, "package.json": json.dumps(manifest)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("manifest", "files", "right"),
    [
        ({"main": "main.js"}, ["main.js"], OwnLoad("require", "./main.js", False)),
        ({}, ["index.js"], OwnLoad("require", "./index.js", False)),
        ({"main": "dist"}, ["dist/index.js"], OwnLoad("require", "./dist/index.js", False)),
        ({"type": "module", "main": "m.js"}, ["m.js"], OwnLoad("import", "./m.js", False)),
        ({"exports": "./m.js"}, ["m.js"], OwnLoad("require", "@s/lib", True)),
        ({"exports": {"import": "./m.mjs"}}, ["m.mjs"], OwnLoad("import", "@s/lib", True)),
        ({"bin": "cli.js"}, ["cli.js"], OwnLoad("", "", False)),
        ({"main": "dist/x.js"}, ["src/x.ts"], "dist/x.js"),
        ({"exports": {".": {"types": "./d.d.ts", "default": "./out/a.js"}}}, ["d.d.ts"], "out/a.js"),
        ({"private": True, "main": "main.js"}, ["main.js"], "private"),
        ({"version": "", "main": "main.js"}, ["main.js"], "no name and version"),
        ({"types": "a.d.ts"}, ["a.d.ts"], "nothing in it"),
    ],
)
def test_how_and_why_not(
    tmp_path: Path, manifest: dict[str, Any], files: list[str], right: OwnLoad | str
) -> None:
    write(tmp_path, dict.fromkeys(files, ""), **{**NAMED, **manifest})
    tree = BoxTree(tmp_path, "/p")
    found = own_load(tree, "/p", tree.read_json("/p/package.json"))
    if isinstance(right, OwnLoad):
        assert found == right
    else:
        assert isinstance(found, Unloadable) and right in found.why


def test_those_of_one_reason_are_one_sentence() -> None:
    said = list(sentences({"private": [f"m{n}" for n in range(30)], "not built": ["a"]}))
    assert len(said) == 2 and "and 20 more (private)" in said[0] and "a (not built)" in said[1]


def planned(
    folder: Path, depth: Depth = QUICK
) -> tuple[tuple[Command, ...], tuple[Command, ...], tuple[Package, ...], Coverage]:
    """Commands of install and import, inventory and coverage."""
    (plan,) = lay(stage("p", folder), PlanOptions(depth=depth), "npm")
    tree = BoxTree(folder, plan.project)
    install = plan.after_fetch(tree, ()).commands
    imports = plan.imports(tree).commands
    return install, imports, plan.inventory(), plan.coverage(())


def steps(commands: tuple[Command, ...]) -> list[tuple[str | None, str | None]]:
    return [(command.blame_purl, command.script) for command in commands]


OWN = "pkg:npm/%40s/lib@1.0.0"


def test_an_unpacked_package_is_loaded_and_judged_as_one(tmp_path: Path) -> None:
    scripts = {"postinstall": "node x", "prepare": "node y"}
    write(tmp_path, {"main.js": ""}, **NAMED, main="main.js", scripts=scripts)
    install, imports, packages, coverage = planned(tmp_path)
    assert steps(install) == [(OWN, "postinstall"), (None, "prepare")], "prepare is the developer's own"
    assert steps(imports) == [(OWN, "require")]
    assert [package.purl for package in packages] == [OWN]
    assert packages[0].scripts == {"postinstall": "node x"}
    assert packages[0].places == (f"{packages[0].path}/package.json",), "builds write into the project"
    assert coverage.packages_expected == coverage.packages_installed == 1


def test_an_application_is_not_started_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"server.js": ""}, **NAMED, private=True, main="server.js")
    _, imports, packages, coverage = planned(tmp_path)
    assert imports == () and packages == ()
    assert any("@s/lib (private, so an application" in note for note in coverage.notes)


def test_members_that_are_packages_are_loaded_too(tmp_path: Path) -> None:
    write(tmp_path, {}, name="root", version="1.0.0", private=True, workspaces=["packages/*"])
    write(tmp_path / "packages/lib", {"index.js": ""}, name="lib", version="2.0.0")
    write(tmp_path / "packages/site", {"index.js": ""}, name="site", version="2.0.0", private=True)
    write(tmp_path / "packages/ts", {"src/a.ts": ""}, name="ts", version="2.0.0", main="dist/a.js")
    (tmp_path / "node_modules").mkdir()
    for name in ("lib", "site", "ts"):
        (tmp_path / "node_modules" / name).symlink_to(f"../packages/{name}")
    _, imports, _, coverage = planned(tmp_path)
    assert steps(imports) == [("pkg:npm/lib@2.0.0", "require")]
    assert imports[0].cwd.endswith("/packages/lib")
    notes = " ".join(coverage.notes)
    assert "root, site (private" in notes and "ts (its main file dist/a.js is not there: not built)" in notes


def test_standard_loads_everything_within_a_budget_and_quick_does_not(tmp_path: Path) -> None:
    given = [
        "index.js",
        "lib/a.js",
        "lib/b.mjs",
        "test/t.js",
        "get.js",
        "cli.js",
        "x.config.js",
        "lib/c.d.ts",
    ]
    own = {**NAMED, "bin": "cli.js", "scripts": {"postinstall": "node ./get.js || true"}}
    write(tmp_path, dict.fromkeys(given, ""), **own)
    dep = tmp_path / "node_modules/dep"
    exports = {".": "./i.js", "./x": "./x.js", "./sub/*": "./inner/*.js", "./package.json": "./package.json"}
    write(dep, dict.fromkeys(["i.js", "x.js", "inner/one.js", "hidden.js"], ""), name="dep", version="3.0.0")
    (dep / "package.json").write_text(json.dumps({"name": "dep", "version": "3.0.0", "exports": exports}))
    (tmp_path / "package.json").write_text(json.dumps({**own, "dependencies": {"dep": "3"}}))
    assert steps(planned(tmp_path)[1]) == [("pkg:npm/dep@3.0.0", "require"), (OWN, "require")]
    _, imports, _, _ = planned(tmp_path, STANDARD)
    assert steps(imports[:2]) == [("pkg:npm/dep@3.0.0", "require"), (OWN, "require")]
    assert [c.within for c in imports[:2]] == [None, None], "these are loaded whatever it takes"
    assert {c.within for c in imports[2:]} == {STANDARD.submodule_seconds}
    of_own = [script for purl, script in steps(imports[2:]) if purl == OWN]
    assert of_own == ["require/lib/a.js", "import/lib/b.mjs", "bin lib"], "no tests and tools"
    of_dep = [script for purl, script in steps(imports[2:]) if purl == "pkg:npm/dep@3.0.0"]
    assert of_dep == ["require/x", "require/sub/one"]
    assert [c.item for c in imports[2:] if c.together] == [
        "require ./lib/a.js", "require dep/x", "import ./lib/b.mjs", "require dep/sub/one",
    ]  # fmt: skip
    assert steps(imports[2:4]) == [(OWN, of_own[0]), ("pkg:npm/dep@3.0.0", of_dep[0])], "each has its share"
