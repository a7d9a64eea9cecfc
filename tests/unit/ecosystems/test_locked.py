"""What lock files pin, and what one has that another has not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.ecosystems.locked import LockFile, Pin, changed, lock_file
from package_hunter.ecosystems.tree import BoxTree

NPM = json.dumps(
    {
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "app"},
            "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA"},
            "node_modules/b": {"version": "2.0.0", "resolved": "git+ssh://git@git.example/b.git#abc"},
            "node_modules/mac": {"version": "1.0.0", "os": ["darwin"], "optional": True},
            "node_modules/linked": {"resolved": "packages/linked", "link": True},
        },
    }
)
YARN = '# yarn lockfile v1\n\n"@s/a@^1.0.0":\n  version "1.0.1"\n  integrity sha512-AAAA\n'
BERRY = '__metadata:\n  version: 8\n\n"a@npm:^1.0.0":\n  version: 1.0.1\n  resolution: "a@npm:1.0.1"\n'
PNPM = "lockfileVersion: '9.0'\npackages:\n  a@1.0.1:\n    resolution: {integrity: sha512-AAAA}\n"
POETRY = '[[package]]\nname = "Requests"\nversion = "2.0"\n'
GEMS = "GEM\n  specs:\n    rake (13.0.6)\n    nokogiri (1.16.0-x86_64-linux)\n\nDEPENDENCIES\n  rake\n"


def named(folder: Path, name: str, text: str) -> LockFile | None:
    (folder / name).write_text(text)
    return lock_file(BoxTree(folder, "/p"), "/p")


@pytest.mark.parametrize(
    ("name", "text", "ecosystem", "purls"),
    [
        ("package-lock.json", NPM, "npm", ["pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/mac@1.0.0"]),
        ("yarn.lock", YARN, "npm", ["pkg:npm/%40s/a@1.0.1"]),
        ("yarn.lock", BERRY, "npm", ["pkg:npm/a@1.0.1"]),
        ("pnpm-lock.yaml", PNPM, "npm", ["pkg:npm/a@1.0.1"]),
        ("poetry.lock", POETRY, "pypi", ["pkg:pypi/requests@2.0"]),
        ("requirements.txt", "six==1.16.0\nother>=2\n", "pypi", ["pkg:pypi/six@1.16.0"]),
        ("Gemfile.lock", GEMS, "gem", ["pkg:gem/rake@13.0.6", "pkg:gem/nokogiri@1.16.0"]),
    ],
)
def test_what_a_lock_file_pins(
    tmp_path: Path, name: str, text: str, ecosystem: str, purls: list[str]
) -> None:
    found = named(tmp_path, name, text)
    assert found is not None
    assert (found.name, found.ecosystem) == (name, ecosystem)
    assert [p.purl for p in found.packages] == purls
    assert found.whole is (name != "requirements.txt")


def test_what_comes_from_elsewhere_and_what_may_be_missing(tmp_path: Path) -> None:
    found = named(tmp_path, "package-lock.json", NPM)
    assert found is not None
    assert [(p.name, p.registry, p.optional) for p in found.packages] == [
        ("a", True, False),
        ("b", False, False),
        ("mac", True, True),
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lockfileVersion": 1}', "\x00\xff"])
def test_what_is_none(tmp_path: Path, text: str) -> None:
    assert named(tmp_path, "package-lock.json", text) is None


def pin(version: str, integrity: str | None = None) -> Pin:
    return Pin(f"pkg:npm/a@{version}", "a", version, integrity)


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        (pin("1"), pin("1"), False),
        (pin("1"), pin("2"), True),
        (pin("1", "x"), pin("1", "x"), False),
        (pin("1", "x"), pin("1", "y"), True),  # the same number, other bytes
        (pin("1"), pin("1", "y"), False),
        (pin("1", "x"), pin("1"), False),
    ],
)
def test_what_changed(old: Pin, new: Pin, differs: bool) -> None:
    assert bool(changed([old], [new])) is differs
