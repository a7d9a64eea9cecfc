"""Lock files as a graph."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.npm import lock, yaml_lock, yarn_lock

LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "root", "dependencies": {"a": "1", "ws": "*"}, "devDependencies": {"d": "1"}},
        "node_modules/a": {"version": "1.0.0", "integrity": "sha512-x", "dependencies": {"b": "1", "c": "1"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0", "dependencies": {"c": "1"}},
        "node_modules/b": {"version": "1.0.0"},
        "node_modules/c": {
            "version": "1.0.0",
            "dependencies": {"a": "1"},
            "optional": True,
            "os": ["darwin"],
        },
        "node_modules/d": {"version": "1.0.0", "dev": True, "name": "@real/d", "dependencies": {"b": "1"}},
        "node_modules/ws": {"resolved": "packages/ws", "link": True},
        "packages/ws": {"version": "0.1.0", "name": "ws", "devDependencies": {"b": "1"}},
    },
}


def test_entries() -> None:
    places = lock.entries(LOCK)
    assert places["node_modules/d"].name == "@real/d"
    assert places["node_modules/a/node_modules/b"].name == "b"
    assert places["node_modules/ws"].link == "packages/ws"
    assert places["node_modules/c"].platform == {"os": ("darwin",)}


def test_names_are_found_as_node_finds_them() -> None:
    places = lock.entries(LOCK)
    assert lock.resolve(places, "node_modules/a", "b") == "node_modules/a/node_modules/b"
    assert lock.resolve(places, "node_modules/a/node_modules/b", "c") == "node_modules/c"
    assert lock.resolve(places, "", "ws") == "packages/ws"
    assert lock.resolve(places, "packages/ws", "b") == "node_modules/b"
    assert lock.resolve(places, "node_modules/a", "none") is None


def test_chains_are_shortest_ways_from_the_root() -> None:
    ways = lock.chains(lock.entries(LOCK), "root")
    assert ways["node_modules/a/node_modules/b"] == ("root", "a", "b")
    assert ways["node_modules/b"] == ("root", "@real/d", "b") or ways["node_modules/b"] == ("root", "ws", "b")
    assert ways["packages/ws"] == ("root", "ws")


def test_dependencies_come_first_and_loops_end() -> None:
    order = lock.dependency_order(lock.entries(LOCK))
    assert order.index("node_modules/a/node_modules/b") < order.index("node_modules/a")
    assert order.index("node_modules/b") < order.index("packages/ws")
    assert len(order) == len(set(order)) == 7


def test_purls() -> None:
    assert lock.purl("@a/b", "1.0.0") == "pkg:npm/%40a/b@1.0.0"
    assert lock.purl("left-pad", "1.3.0") == "pkg:npm/left-pad@1.3.0"


def test_places_outside_the_project_are_left_out() -> None:
    places = lock.entries(
        {"packages": {"../up": {}, "/abs": {}, "node_modules/x": {"link": True, "resolved": "../y"}}}
    )
    assert set(places) == {"node_modules/x"}
    assert places["node_modules/x"].link is None


junk: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dependencies", "version", "link", "resolved", "os", "name", "x"]), inner
        )
    ),
    max_leaves=8,
)
locations = st.sampled_from(
    ["", "node_modules/a", "node_modules/a/node_modules/b", "packages/c", "node_modules/@s/d", "x"]
)


@settings(max_examples=200, deadline=None)
@given(packages=st.dictionaries(locations, junk))
def test_hostile_lock_files_are_survived(packages: dict[str, Any]) -> None:
    places = lock.entries({"packages": packages})
    lock.chains(places, "root")
    order = lock.dependency_order(places)
    assert sorted(order) == sorted(key for key in places if key)
    for entry in places.values():
        lock.package(entry, "/p", (), {})


YARN = """# yarn lockfile v1


"@s/a@^1.0.0", "@s/a@~1.0.1":
  version "1.0.2"
  resolved "https://registry.example/@s/a/-/a-1.0.2.tgz#0123"
  integrity sha512-abc==
  dependencies:
    b "^2"

"alias@npm:real@^3":
  version "3.1.0"

b@^2:
  version "2.0.0"
"""


def test_yarn_lock() -> None:
    found = yarn_lock.parse(YARN)
    assert [(item.name, item.version, item.integrity) for item in found] == [
        ("@s/a", "1.0.2", "sha512-abc=="),
        ("real", "3.1.0", ""),
        ("b", "2.0.0", ""),
    ]
    assert found[0].specs == ("@s/a@^1.0.0", "@s/a@~1.0.1")
    assert not yarn_lock.is_berry(YARN)
    assert yarn_lock.is_berry("__metadata:\n  version: 8\n")


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_hostile_yarn_locks_are_survived(text: str) -> None:
    for item in yarn_lock.parse(text) + yarn_lock.parse(f"a@1:\n{text}"):
        assert item.name


def test_members_of_a_pnpm_workspace_lie_below_the_project() -> None:
    text = "importers:\n  .: {}\n  packages/one: {}\n  ../out: {}\n  a/../../b: {}\n  /etc: {}\n  .git: {}\n"
    assert yaml_lock.pnpm_members(text) == ["packages/one"]
    assert yaml_lock.pnpm_members("importers: [1]") == yaml_lock.pnpm_members("{") == []
