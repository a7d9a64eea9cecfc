"""Token buckets and the answer cache."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.api.limits import Buckets, has_room
from package_hunter.api.service import ByteCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_s_worth_at_once_then_steadily() -> None:
    clock = Clock()
    buckets = Buckets(60, clock)
    for _ in range(60):
        assert buckets.wait("a") == 0
        buckets.take("a")
    assert buckets.wait("a") == 1.0
    assert buckets.wait("b") == 0
    clock.now = 1.0
    assert buckets.wait("a") == 0


def test_memory_is_bounded() -> None:
    buckets = Buckets(60)
    for n in range(10_050):
        buckets.take(str(n))
    assert len(buckets._levels) == 10_000


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=200))
def test_never_more_than_a_minute_s_worth_ahead(acts: list[tuple[float, bool]]) -> None:
    clock = Clock()
    buckets = Buckets(30, clock)
    taken = 0
    for gap, try_it in acts:
        clock.now += gap
        if try_it and buckets.wait("a") == 0:
            buckets.take("a")
            taken += 1
        assert taken <= 30 + clock.now * 0.5 + 1


@given(st.lists(st.tuples(st.text(max_size=2), st.binary(max_size=40)), max_size=60))
def test_the_cache_keeps_within_its_bytes(items: list[tuple[str, bytes]]) -> None:
    cache = ByteCache(100)
    for key, value in items:
        cache.put(key, value)
        assert cache.get(key) in (value, None) if len(value) > 25 else cache.get(key) == value
        assert sum(len(v) for v in cache._items.values()) == cache._size <= 100


def test_who_reserves_has_acted() -> None:
    buckets = Buckets(2, Clock())
    assert [buckets.reserve("a") for _ in range(3)] == [0.0, 0.0, 30.0]
    buckets.give_back("a")
    assert buckets.reserve("a") == 0.0
    buckets.give_back("b")
    assert [buckets.reserve("b") for _ in range(3)] == [0.0, 0.0, 30.0]  # nobody saves up


@pytest.mark.parametrize(
    ("held", "key", "fits"),
    [
        ({}, "ana", True),
        ({"ana": 9}, "ana", True),
        ({"ana": 10}, "ana", False),
        ({"ana": 10}, "bob", True),
        ({"ana": 10, "bob": 4}, "bob", True),
        ({"ana": 10, "bob": 5}, "bob", False),
        ({"ana": 10, "bob": 5}, "eve", True),
        ({f"n{n}": 1 for n in range(30)}, "ana", True),
        ({f"n{n}": 1 for n in range(30)}, "n3", False),
    ],
)
def test_everybody_may_have_an_equal_share(held: dict[str, int], key: str, fits: bool) -> None:
    assert has_room(10, held, key) is fits
