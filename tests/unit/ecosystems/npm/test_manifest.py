"""package.json: what runs and how it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.npm import manifest
from package_hunter.ecosystems.tree import BoxTree


@pytest.mark.parametrize(
    ("scripts", "gyp", "more", "expected"),
    [
        ({"postinstall": "x", "test": "y"}, False, {}, {"postinstall": "x"}),
        ({}, True, {}, {"install": "node-gyp rebuild"}),
        ({"preinstall": "x"}, True, {}, {"preinstall": "x"}),
        ({"install": "x"}, True, {}, {"install": "x"}),
        ({"postinstall": "x"}, True, {}, {"install": "node-gyp rebuild", "postinstall": "x"}),
        ({}, True, {"gypfile": False}, {}),
        ({"install": 5, "postinstall": ""}, False, {}, {}),
        ("nonsense", False, {}, {}),
    ],
)
def test_scripts_of_a_dependency(
    scripts: Any, gyp: bool, more: dict[str, Any], expected: dict[str, str]
) -> None:
    assert manifest.scripts({"scripts": scripts, **more}, gyp, manifest.DEPENDENCY_EVENTS) == expected


def test_the_projects_own_scripts_come_in_npms_order() -> None:
    given = {name: name for name in ("prepare", "postinstall", "preinstall", "prepublish", "build")}
    found = manifest.scripts({"scripts": given}, False, manifest.ROOT_EVENTS)
    assert list(found) == ["preinstall", "postinstall", "prepublish", "prepare"]


def test_optional_peers_are_not_asked_for() -> None:
    found = manifest.dependencies(
        {
            "dependencies": {"a": "1"},
            "peerDependencies": {"p": "1", "q": "1", "a": "1"},
            "peerDependenciesMeta": {"q": {"optional": True}, "a": {"optional": True}},
        }
    )
    assert set(found) == {"a", "p"}


@pytest.mark.parametrize(
    ("package", "files", "how"),
    [
        ({}, ["index.js"], "require"),
        ({"main": "lib/x"}, ["lib/x.js"], "require"),
        ({"main": "./lib"}, ["lib/index.js"], "require"),
        ({"main": "gone.js"}, ["index.js"], "require"),
        ({"type": "module"}, ["index.js"], "import"),
        ({"main": "m.mjs"}, ["m.mjs"], "import"),
        ({"types": "index.d.ts"}, ["index.d.ts"], None),
        ({"bin": "cli.js"}, ["cli.js"], None),
        ({"main": "../../../etc/passwd"}, [], None),
        ({"exports": "./x.mjs"}, ["x.mjs"], "import"),
        ({"exports": {"import": "./x.js"}}, ["x.js"], "import"),
        ({"exports": {".": {"import": "./x.mjs", "require": "./x.cjs"}}}, [], "require"),
        ({"exports": {".": {"types": "./x.d.ts", "default": "./x.js"}}}, [], "require"),
        ({"exports": {"./sub": "./x.js"}}, [], None),
        ({"exports": [{"import": "./x.mjs"}, "./x.mjs"]}, [], "import"),
    ],
)
def test_how_a_package_is_loaded(
    tmp_path: Path, package: dict[str, Any], files: list[str], how: str | None
) -> None:
    for name in files:
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text("")
    assert manifest.loader(BoxTree(tmp_path), "/p", package) == how


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('{"scripts": {"install": "node a.js", "test": "x"}, "builtFor": "v24"}', False),
        ('{"scripts": {"install": "echo ok"}}', True),
        ('{"scripts": {"test": "x"}}', True),
        ("{}", True),
        ("[" * 5_000, True),
        (None, True),
    ],
)
def test_a_manifest_lost_its_scripts(tmp_path: Path, text: str | None, lost: bool) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    if text is not None:
        (folder / "package.json").write_text(text)
    tree = BoxTree(tmp_path)
    assert manifest.lost({"install": "node a.js"}, tree, "/a") is lost
    assert not manifest.lost({"install": manifest.GYP_REBUILD}, tree, "/a"), "implied: it never stood there"
    assert not manifest.lost({}, tree, "/a")
