from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.enrich.paths import TOO_LONG, join


@pytest.mark.parametrize(
    ("base", "path", "result"),
    [
        ("/tmp/", "a", "/tmp/a"),
        ("/tmp/", "../a/./b//c/", "/a/b/c"),
        ("/tmp/x/", "../../../..", "/"),
        ("/tmp/", "/etc/../etc/passwd", "/etc/passwd"),
        ("/tmp/", "..a/.b", "/tmp/..a/.b"),
        ("/", "a/..", "/"),
        ("", "foo/../a", "a"),
        ("/tmp/", "/", "/"),
        ("/tmp/", ".", "/tmp"),
        ("/tmp/", "", ""),
        ("/", "x" * 1100, TOO_LONG),
    ],
)
def test_join(base: str, path: str, result: str) -> None:
    assert join(base, path) == result


@given(st.lists(st.sampled_from(["a", "b", ".", "..", "", "..x", ".y"]), min_size=1, max_size=8))
def test_as_posix_does(parts: list[str]) -> None:
    path = "/".join(parts)
    if path.startswith("/") or not path:
        return
    wanted = posixpath.normpath(posixpath.join("/base/dir", path))
    assert join("/base/dir/", path) == wanted
