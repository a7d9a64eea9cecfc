"""Whose file is this: the innermost place decides, and all that share it are named."""

from __future__ import annotations

import pytest

from package_hunter.model.owners import Owners, names
from package_hunter.model.scan import Package

N = "/p/node_modules"
S = "/p/.venv/lib/python3.11/site-packages"


def package(name: str, path: str | None = None, *places: str, purl: str | None = None) -> Package:
    return Package(purl or f"pkg:x/{name}@1", name, "1", path, places=places)


PACKAGES = (
    package("a", f"{N}/a/"),
    package("a-b", f"{N}/a-b"),
    package("inner", f"{N}/a/node_modules/inner"),
    package("copy", f"{N}/copy"),
    package("copy", f"{N}/a/node_modules/copy"),  # the same one, at a second place
    package("zope.event", f"{S}/zope/event", f"{S}/zope/event", f"{S}/zope"),
    package("zope.interface", f"{S}/zope/interface", f"{S}/zope/interface", f"{S}/zope"),
    package("six", f"{S}/six.py", f"{S}/six.py"),
    package("nowhere"),
)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        (f"{N}/a/x.js", ["a"]),
        (f"{N}/a", ["a"]),
        (f"{N}/a-b/x.js", ["a-b"]),
        (f"{N}/ab/x.js", []),
        (f"{N}/a/node_modules/inner/x.js", ["inner"]),
        (f"{N}/a/node_modules/other/x.js", ["a"]),
        (f"{N}/copy/x.js", ["copy"]),
        (f"{N}/a/node_modules/copy/x.js", ["copy"]),
        (f"{S}/zope/event/__init__.py", ["zope.event"]),
        (f"{S}/zope/interface/deep/er.py", ["zope.interface"]),
        (f"{S}/zope/__init__.py", ["zope.event", "zope.interface"]),
        (f"{S}/six.py", ["six"]),
        (f"{S}/six.pyc", []),
        ("/p", []),
        ("", []),
        ("//p//node_modules/./a//x.js", ["a"]),
    ],
)
def test_the_innermost_place_decides(path: str, owners: list[str]) -> None:
    assert [item.name for item in Owners(PACKAGES).of(path)] == owners


def test_who_brought_this_very_path() -> None:
    both = [package(name, None, f"{S}/t/x.py", f"{S}/t") for name in ("one", "two")]
    owners = Owners(both)
    assert owners.brought_by(f"{S}/t/x.py") == tuple(both)
    assert owners.brought_by(f"{S}/t/y.py") == ()
    assert owners.of(f"{S}/t/y.py") == tuple(both)


def test_a_path_of_any_depth_is_answered() -> None:
    deep = "/p" + "/a" * 100_000
    assert Owners([package("deep", deep)]).of(f"{deep}/x")[0].name == "deep"
    assert Owners(PACKAGES).of(deep) == ()


def test_owners_in_a_sentence() -> None:
    many = [package(str(i)) for i in range(12)]
    assert [names(many[:n]) for n in (0, 1, 2, 3)] == ["", "0", "0 and 1", "0, 1 and 2"]
    assert names(many) == "0, 1, 2 and 9 more"
