"""bun's lock file as npm's: each package at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems.npm.bun_lock import as_npm_lock, plain_manifests
from package_hunter.ecosystems.npm.lock import entries
from package_hunter.ecosystems.npm.managers import Bun
from package_hunter.ecosystems.tree import BoxTree

SRI = "sha512-" + "A" * 86 + "=="
TEXT = """{
  // a comment with "quotes",
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "bunny", "dependencies": { "debug": "4.3.4", "w": "npm:ws@8",
      "local": "workspace:packages/local", }, },
    "packages/local": { "name": "local", "version": "0.0.1", "dependencies": { "ms": "2.0.0", }, },
  },
  "packages": {
    "debug": ["debug@4.3.4", "", { "dependencies": { "ms": "2.1.2" }, "optionalPeers": ["x"], }, "SRI"],
    "debug/ms": ["ms@2.1.2", "", {}, "SRI"],
    "@s/p": ["@s/p@1.0.0-rc.1", "", { "os": "linux", "cpu": ["x64"] }, "SRI"],
    "@s/p/@t/q": ["@t/q@2.0.0", "", {}, "SRI"],
    "w": ["ws@8.0.0", "", {}, "SRI"],
    "local": ["local@workspace:packages/local"],
    "local/ms": ["ms@2.0.0", "", {}, "SRI"],
    "far": ["far@github:a/far#abc", { "dependencies": { "debug": "*" } }, "a-far-abc"], /* , ] */
    "url//x": ["url//x@1.0.0, }", "", {}, "SRI"],
  },
}
""".replace("SRI", SRI)


def test_each_package_at_its_place() -> None:
    places = as_npm_lock(TEXT)["packages"]
    assert set(places) >= {
        "node_modules/debug/node_modules/ms", "node_modules/@s/p/node_modules/@t/q", "packages/local",
        "packages/local/node_modules/ms",
    }  # fmt: skip
    assert places["node_modules/local"] == {"resolved": "packages/local", "link": True}
    assert places["node_modules/w"]["name"] == "ws" and places["node_modules/w"]["version"] == "8.0.0"
    assert places["node_modules/debug"]["dependencies"] == {"ms": "2.1.2"}
    assert places["node_modules/debug"]["integrity"] == SRI
    assert places["node_modules/@s/p"]["os"] == ["linux"]
    assert places["node_modules/far"]["resolved"] == "github:a/far#abc"
    assert entries(as_npm_lock(TEXT))["node_modules/@s/p"].version == "1.0.0-rc.1"


CATALOGS = """{"workspaces": {"": {"name": "a", "dependencies": {"ms": "catalog:", "b": "workspace:^"}},
 "packages/b": {"name": "b", "devDependencies": {"qs": "catalog:old"}}, "../out": {}},
 "catalog": {"ms": "^2.1.0"}, "catalogs": {"old": {"qs": "6.5.0"}}, "packages": {}}"""


def test_what_only_bun_can_read_is_put_into_words_of_npm(tmp_path: Path) -> None:
    (tmp_path / "packages/b").mkdir(parents=True)
    root = {"name": "a", "dependencies": {"ms": "catalog:", "b": "workspace:^"}}
    inner = {"name": "b", "devDependencies": {"qs": "catalog:old"}, "scripts": {"build": "x"}}
    (tmp_path / "package.json").write_text(json.dumps(root))
    (tmp_path / "packages/b/package.json").write_text(json.dumps(inner))
    written = plain_manifests(BoxTree(tmp_path, "/p"), "/p", CATALOGS)
    assert {path: json.loads(text) for path, text in written.items()} == {
        "package.json": {"name": "a", "dependencies": {"ms": "^2.1.0", "b": "*"}},
        "packages/b/package.json": {**inner, "devDependencies": {"qs": "6.5.0"}},
    }
    places = as_npm_lock(CATALOGS)["packages"]
    assert places[""]["dependencies"] == {"ms": "^2.1.0", "b": "*"}
    made = Bun(root, CATALOGS, written)
    assert made.fetch[:2] == ("npm", "ci") and set(made.files) == {*written, "package-lock.json"}


@pytest.mark.parametrize(
    ("asked", "over", "catalog", "got"),
    [
        ("4.3.4", "4.3.5", "", "4.3.5"),  # with npm a contradiction
        ("catalog:", "catalog:", "4.3.1", "4.3.1"),
        ("^4.0.0", "npm:fork@1", "", "npm:fork@1"),
    ],
)
def test_an_override_holds_for_what_is_asked_for_directly_too(
    tmp_path: Path, asked: str, over: str, catalog: str, got: str
) -> None:
    root = {"name": "a", "dependencies": {"debug": asked, "ms": "2.1.3"}, "overrides": {"debug": over}}
    lock = {
        "workspaces": {"": root},
        "overrides": root["overrides"],
        "packages": {},
        "catalog": {"debug": catalog},
    }
    (tmp_path / "package.json").write_text(json.dumps(root))
    written = json.loads(plain_manifests(BoxTree(tmp_path, "/p"), "/p", json.dumps(lock))["package.json"])
    assert written["dependencies"] == {"debug": got, "ms": "2.1.3"} and written["overrides"] == {"debug": got}
    assert as_npm_lock(json.dumps(lock))["packages"][""]["dependencies"] == {"debug": got, "ms": "2.1.3"}
    assert Bun(root, json.dumps(lock), {}).fetch[:2] == ("npm", "ci")


def test_what_is_no_lock_file() -> None:
    assert not any(map(as_npm_lock, ("", "[]", "{", "null", '{"packages": {"a": []}}')))
    assert as_npm_lock('{"workspaces": {"": 7}, "packages": {"a": [7], "b": [], "c": "d", "e": ["x"]}}')


def test_npm_installs_what_it_lists() -> None:
    root = {"dependencies": {"debug": "4.3.4", "w": "npm:ws@8", "local": "workspace:packages/local"}}
    made = Bun(root, TEXT)
    assert made.fetch[:2] == ("npm", "ci") and "package-lock.json" in made.files
    outdated = Bun({"dependencies": {"debug": "4.3.5"}}, TEXT)
    assert outdated.fetch[:2] == ("npm", "install") and "does not fit" in " ".join(outdated.notes)
    assert "could not be read" in Bun(root, "nonsense").notes[0]


PLATFORMS = """{"lockfileVersion": 1,
  "workspaces": {"": {"dependencies": {"tool": "1.0.0"}, "optionalDependencies": {"fsevents": "2.3.3"}},
    "packages/m": {"name": "m", "dependencies": {"kept": "1.0.0"}}},
  "packages": {
    "@t/darwin": ["@t/darwin@1.0.0", "", {"os": "darwin", "cpu": "arm64"}, "SRI"],
    "@t/linux": ["@t/linux@1.0.0", "", {"os": "linux", "cpu": "x64", "libc": "glibc"}, "SRI"],
    "fsevents": ["fsevents@2.3.3", "", {"os": "darwin"}, "SRI"],
    "both": ["both@1.0.0", "", {}, "SRI"],
    "kept": ["kept@1.0.0", "", {"dependencies": {"both": ""}}, "SRI"],
    "m": ["m@workspace:packages/m"],
    "tool": ["tool@1.0.0", "", {"optionalDependencies": {"@t/darwin": "1.0.0", "@t/linux": "", "both": ""}}, "SRI"],
  }}"""


def test_what_only_optional_dependencies_need_may_be_absent() -> None:
    places = entries(as_npm_lock(PLATFORMS.replace("SRI", SRI)))
    assert {entry.name for entry in places.values() if entry.optional} == {
        "@t/darwin",
        "@t/linux",
        "fsevents",
    }
