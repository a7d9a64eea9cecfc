"""Parts of a project itself, and what lies outside of what was given to scan."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.npm.own import beside, by_path, outside, parts

P = "/home/dev/projects/app"


def asks(**wanted: str) -> dict[str, object]:
    return {"dependencies": wanted}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("file:../shared", "/home/dev/projects/shared"),
        ("link:./dist", f"{P}/dist"),
        ("portal:packages/a", f"{P}/packages/a"),
        ("../x", "/home/dev/projects/x"),
        ("file:.", P),
        ("file:./a.tgz", None),
        ("^1.0.0", None),
        ("workspace:*", None),
    ],
)
def test_by_path(spec: str, path: str | None) -> None:
    assert by_path(asks(a=spec), P).get("a") == path


def test_parts_of_the_project() -> None:
    manifest = asks(dist="link:./dist", far="file:../far", ms="2.1.3")
    assert parts(manifest, [asks(core="workspace:^")], P, P) == {"dist", "core"}
    assert parts(manifest, [], P, "/home/dev/projects") == {"dist", "far"}


def test_what_lies_outside_of_what_was_given() -> None:
    manifest = asks(dist="link:./dist", far="file:../far", root="file:/etc")
    assert outside(manifest, P, P) == {"far": "file:../far", "root": "file:/etc"}
    assert outside(manifest, f"{P}/web", P) == {"root": "file:/etc"}
    assert beside(manifest, f"{P}/web", P) == {"far"} and not beside(manifest, P, P)
