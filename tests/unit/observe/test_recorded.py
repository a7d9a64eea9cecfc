"""What a recording of ours says of the box, and what a hostile one may say in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.observe.recorded import RecordedBox

GOOD: dict[str, Any] = {
    "init_pid": 7,
    "driver": "node x ",
    "canaries": {"/home/dev/.npmrc": "c1"},
    "inodes": [[1, 2, "c1"]],
    "fetches_alone": True,
}


def test_all_of_it() -> None:
    assert RecordedBox.of(GOOD) == RecordedBox(7, "node x ", {"/home/dev/.npmrc": "c1"}, True, {(1, 2): "c1"})


@pytest.mark.parametrize("key", ["init_pid", "driver", "canaries"])
def test_without_it_nothing_is_ours(key: str) -> None:
    assert RecordedBox.of({**GOOD, key: None}) == RecordedBox()


@pytest.mark.parametrize("inodes", [None, 5, "x", [5], [[1, 2]], [["1", 2, "c"]], {"a": 1}])
def test_inodes_that_make_no_sense_are_left_out(inodes: Any) -> None:
    assert RecordedBox.of({**GOOD, "inodes": inodes}).inodes == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "scan"]), JSON))
def test_anything(facts: dict[str, Any]) -> None:
    RecordedBox.of({**GOOD, **facts})


BOXES = st.builds(
    RecordedBox,
    st.integers(1, 2**22),
    st.text(),
    st.dictionaries(st.text(), st.text()),
    st.booleans(),
    st.dictionaries(st.tuples(st.integers(0, 2**64), st.integers(0, 2**64)), st.text()),
)


@given(BOXES)
def test_what_is_written_is_read(box: RecordedBox) -> None:
    assert RecordedBox.of(json.loads(json.dumps(box.facts()))) == box


def test_the_order_in_which_it_is_written_stays() -> None:
    assert list(RecordedBox().facts()) == ["init_pid", "driver", "fetches_alone", "canaries", "inodes"]
