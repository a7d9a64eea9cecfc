"""What of a tree lies outside of this host's registries, from each kind of lock file, and how that is told."""

from __future__ import annotations

import json

import pytest

from package_hunter.ecosystems.npm import outside
from package_hunter.ecosystems.npm.listed import Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.managers import Npm
from package_hunter.ecosystems.npm.outside import Outside

HOSTS = frozenset({"registry.example"})
OURS = "https://registry.example/ms/-/ms-2.1.3.tgz"
STRANGE = "https://mirror.example/api/npm/all/left/-/left-1.0.0.tgz"


@pytest.mark.parametrize(
    "came_from",
    [STRANGE, "git+ssh://git@git.example/a/b.git#abc", "github:a/b", "a/b#v1", "https://registry.example/a/b.git#x",
     "git@git.example:a/b.git", "http://mirror.example/x.tgz"],
)  # fmt: skip
def test_outside(came_from: str) -> None:
    assert outside.lies_outside(came_from, HOSTS)


@pytest.mark.parametrize(
    "came_from",
    [OURS, "", "^1.0.0", "latest", "npm:other@1", "file:libs/x", "link:./dist", "workspace:*", "catalog:", "../x",
     "patch:ms@npm%3A2.1.3#x"],
)  # fmt: skip
def test_not_outside(came_from: str) -> None:
    assert not outside.lies_outside(came_from, HOSTS)


def test_web_addresses_are_not_judged_where_registries_are_not_known() -> None:
    assert not outside.lies_outside(STRANGE, None)
    assert outside.lies_outside("github:a/b", None)


def test_npms_lock_file() -> None:
    packages = {
        "": {"name": "app", "dependencies": {"odd": "github:a/odd", "ms": "2.1.3"}},
        "node_modules/odd": {"version": "3.0.1", "resolved": "git+ssh://git@git.example/a/odd.git#b3",
            "dependencies": {"n": "^6"}},
        "node_modules/ms": {"version": "2.1.3", "resolved": OURS, "dependencies": {"deep": "1"}},
        "node_modules/ms/node_modules/deep": {"version": "1.0.0", "resolved": STRANGE},
        "node_modules/mac": {"version": "1.0.0", "resolved": STRANGE, "os": ["darwin"]},
        "node_modules/here": {"resolved": "libs/here", "link": True},
    }  # fmt: skip
    found = Npm(packages[""], {"packages": packages}, ()).outside(HOSTS)
    assert [(o.name, o.version, o.wanted_by, dict(o.requires)) for o in found] == [
        ("odd", "3.0.1", "app", {"n": "^6"}),
        ("deep", "1.0.0", "ms", {}),
    ]
    assert found[0].is_git and not found[1].is_git


def test_npms_first_lock_file() -> None:
    inner = {"deep": {"version": "1.0.0", "resolved": STRANGE}}
    lock = {
        "dependencies": {
            "odd": {"version": "github:a/odd#b3", "from": "github:a/odd", "requires": {"n": "^6"}},
            "ms": {"version": "2.1.3", "resolved": OURS, "dependencies": inner},
        }
    }
    found = Npm({"name": "app"}, lock, ()).outside(HOSTS)
    assert [(o.name, o.version) for o in found] == [("odd", ""), ("deep", "1.0.0")]


def test_yarns_and_pnpms() -> None:
    classic = (
        'odd@a/odd:\n  version "3.0.1"\n  resolved "https://codes.example/a/odd/tar.gz/b3"\n\n'
        f'ms@2:\n  version "2.1.3"\n  resolved "{OURS}#ab"\n'
    )
    berry = (
        '__metadata:\n  version: 8\n\n"odd@https://git.example/a/odd.git":\n  version: 3.0.1\n'
        '  resolution: "odd@https://git.example/a/odd.git#commit=b3"\n\n'
        '"a@workspace:a":\n  version: 0.0.0-use.local\n  resolution: "a@workspace:a"\n'
    )
    pnpm = (
        "lockfileVersion: '9.0'\npackages:\n  odd@https://codes.example/a/odd/tar.gz/b3:\n"
        "    resolution: {tarball: https://codes.example/a/odd/tar.gz/b3}\n    version: 3.0.1\n"
        "  rep@git+https://git.example/a/rep.git#c4:\n"
        "    resolution: {type: git, repo: 'https://git.example/a/rep.git', commit: c4}\n    version: 1.0.0\n"
        "  ms@2.1.3:\n    resolution: {integrity: sha512-x}\n"
    )
    classic += 'top@1:\n  version "1.0.0"\n  dependencies:\n    odd "a/odd"\n    "@s/x" "^1 || ^2"\n'
    (odd,) = YarnClassic({}, classic).outside(HOSTS)
    assert (odd.name, odd.wanted_by) == ("odd", "top")
    (odd,) = YarnBerry({"name": "app", "dependencies": {"odd": "a/odd"}}, berry).outside(HOSTS)
    assert (odd.version, odd.wanted_by) == ("3.0.1", "app")
    assert [(o.name, o.version) for o in YarnBerry({}, berry).outside(HOSTS)] == [("odd", "3.0.1")]
    assert [(o.name, o.version) for o in Pnpm({}, pnpm).outside(HOSTS)] == [
        ("odd", "3.0.1"),
        ("rep", "1.0.0"),
    ]


def test_without_a_lock_file_the_manifests_say_it() -> None:
    manager = Npm({"name": "app", "dependencies": {"odd": "a/odd", "ms": "2"}}, {}, ())
    manager.also_asks = ({"name": "member", "devDependencies": {"far": STRANGE}},)
    assert [(o.name, o.wanted_by) for o in manager.outside(HOSTS)] == [("odd", "app"), ("far", "member")]


def test_told_once_a_place_with_who_asks() -> None:
    many = [Outside(f"p{n}", "1.0.0", STRANGE, wanted_by="app") for n in range(400)]
    told = outside.sentences([*many, Outside("odd", "", "github:a/odd", wanted_by="")])
    assert len(told) == 2 and len(told[0]) < 900
    assert "p0@1.0.0" in told[0] and "and 392 more, asked for by app" in told[0]
    assert "Name mirror.example in PACKAGE_HUNTER_FETCH_HOSTS" in told[0]
    assert told[1].startswith("odd, asked for by the project, was not scanned: github:a/odd is no registry")


def test_the_drivers_list() -> None:
    made = json.loads(
        outside.listed([Outside("a", "1.0.0", STRANGE, {"b": "2"})], "npm", ["packages/x"], {"Ok.example"})
    )
    wanted = {"name": "a", "version": "1.0.0", "from": STRANGE, "requires": {"b": "2"}}
    assert made == {
        "manager": "npm",
        "candidates": [wanted],
        "folders": ["packages/x"],
        "allowed": ["ok.example"],
    }
