"""Files out of a box: bounded, no links, no blocking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from package_hunter.ecosystems.tree import BoxTree, as_text_map, parse_object


@pytest.fixture
def tree(tmp_path: Path) -> BoxTree:
    home = tmp_path / "home/dev/p"
    (home / "real").mkdir(parents=True)
    (home / "a.json").write_text('{"x": 1}')
    (home / "real/f").write_text("inside")
    (home / "link").symlink_to("/etc/passwd")
    (home / "dirlink").symlink_to("real")
    os.mkfifo(home / "pipe")
    return BoxTree(tmp_path)


def test_plain_files_are_read(tree: BoxTree) -> None:
    assert tree.read_json("/home/dev/p/a.json") == {"x": 1}
    assert tree.read("/home/dev/p/real/f") == b"inside"
    assert tree.names("/home/dev/p") == ["a.json", "dirlink", "link", "pipe", "real"]
    assert tree.link_target("/home/dev/p/dirlink") == "real"


@pytest.mark.parametrize(
    "path",
    [
        "/home/dev/p/link",
        "/home/dev/p/dirlink/f",
        "/home/dev/p/pipe",
        "/home/dev/p/real",
        "/none",
        "/",
        "/../etc/passwd",
        "relative",
        "/home/dev/p/\0",
        "/" + "x" * 5000,
    ],
)
def test_anything_else_is_none(tree: BoxTree, path: str) -> None:
    assert tree.read(path) is None
    assert tree.read_json(path) == {}


def test_what_is_too_long_is_none(tree: BoxTree) -> None:
    assert tree.read("/home/dev/p/real/f", limit=5) is None


def test_kinds(tree: BoxTree) -> None:
    names = ("a.json", "real", "link", "pipe", "none")
    assert [tree.kind(f"/home/dev/p/{name}") for name in names] == ["file", "folder", "link", "other", ""]


def test_a_part_of_the_box_has_a_prefix(tmp_path: Path, tree: BoxTree) -> None:
    part = BoxTree(tmp_path / "home/dev/p", "/home/dev/p")
    assert part.read("/home/dev/p/real/f") == b"inside"
    assert part.read("/real/f") is None


@pytest.mark.parametrize("data", [None, b"", b"[1]", b"{", b"\xff", b"[" * 100_000, b'{"a": ' * 100_000])
def test_unsound_json_is_empty(data: bytes | None) -> None:
    assert parse_object(data) == {}


def test_untrusted_maps() -> None:
    assert as_text_map({"a": "b", "c": 1, "d": None}) == {"a": "b"}
    assert as_text_map("no") == {}
