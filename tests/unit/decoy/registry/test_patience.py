"""Asking a registry again: how often, and what is said of one that is down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from package_hunter.decoy.registry import patience
from package_hunter.decoy.registry.patience import Patience, Silent, failed

URL = "https://registry.example/a"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.0)


def answers(*said: object) -> tuple[Callable[[], Awaitable[object]], list[object]]:
    """Something that is asked, and what of its answers is still to come."""
    left = list(said)

    async def ask() -> object:
        one = left.pop(0)
        if isinstance(one, int):
            failed(httpx.Response(one))
        elif isinstance(one, Exception):
            raise one
        return one

    return ask, left


def test_one_that_answers_the_third_time_is_not_down() -> None:
    ask, _ = answers(httpx.ConnectError("no"), 503, 200)
    assert asyncio.run(Patience().asked(URL, ask)) == 200


def test_one_that_is_down_is_named_and_not_waited_for_again() -> None:
    held = Patience()
    ask, left = answers(*[httpx.ConnectError("no")] * 3, 200)
    for _ in range(2):
        with pytest.raises(Silent, match=r"registry[.]example did not answer: ConnectError"):
            asyncio.run(held.asked(URL, ask))
    assert left == [200], "the second question was not put"
    other, _ = answers(200)
    assert asyncio.run(held.asked("https://other.example/a", other)) == 200


def test_an_error_of_the_servers_own_is_of_that_address_alone() -> None:
    held = Patience()
    ask, _ = answers(503, 502, 500)
    with pytest.raises(Silent, match=r"registry[.]example answered with status 500"):
        asyncio.run(held.asked(URL, ask))
    ask, _ = answers(200)
    assert asyncio.run(held.asked(URL, ask)) == 200


@pytest.mark.parametrize("status", [200, 304, 401, 404, 429])
def test_what_is_no_error_of_the_servers_passes(status: int) -> None:
    failed(httpx.Response(status))
