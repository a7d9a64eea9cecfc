"""Logins: guesses are counted before they are checked, and keep nobody out who is known."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from package_hunter.access.identity import Identity
from package_hunter.api.auth import Authenticator
from package_hunter.api.errors import ApiError
from package_hunter.api.limits import Windows, neighbourhood
from package_hunter.config import Settings
from package_hunter.store import accounts, passwords
from package_hunter.store.database import Store
from package_hunter.store.models import Token, User

LIMIT = 3
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


def basic(name: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{name}:{password}".encode())


ANA, BOB = basic("ana", "correct horse"), basic("bob", "battery staple")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store").mkdir()
    made = Store(Settings(data_dir=tmp_path))
    made.migrate()
    with made.write() as session:
        accounts.add_user(session, "ana", "correct horse")
        accounts.add_user(session, "bob", "battery staple")
    yield made
    made.close()


def authenticator(store: Store, seconds: float = 60.0) -> Authenticator:
    return Authenticator(store, Settings(failed_logins_per_minute=LIMIT, credential_cache_seconds=seconds))


async def outcome(asked: Awaitable[Identity]) -> str | int:
    try:
        return (await asked).account
    except ApiError as error:
        return error.status


async def at_once(
    auth: Authenticator, guesses: int, account: str = "ana", place: str = HERE
) -> list[str | int]:
    headers = [basic(account, f"guess {n}") for n in range(guesses)]
    return await asyncio.gather(*(outcome(auth.identify(h, place)) for h in headers))


def test_guesses_that_come_at_once_find_no_gap(store: Store) -> None:
    async def go() -> None:
        found = await at_once(authenticator(store), 12)
        assert sorted(map(str, found)) == ["401"] * LIMIT + ["429"] * (12 - LIMIT)

    asyncio.run(go())


def test_who_was_verified_is_not_kept_out_when_it_is_looked_up_again(store: Store) -> None:
    async def go() -> None:
        auth = authenticator(store, seconds=0.0)  # every request looks it up again
        assert (await auth.identify(ANA, HERE)).account == "ana"
        results = await asyncio.gather(
            at_once(auth, 12), *(outcome(auth.identify(ANA, HERE)) for _ in range(20))
        )
        assert results[1:] == ["ana"] * 20
        assert (await auth.identify(ANA, HERE)).account == "ana"

    asyncio.run(go())


def test_guesses_keep_out_neither_other_accounts_nor_other_addresses_nor_tokens(store: Store) -> None:
    with store.write() as session:
        token = accounts.add_token(session, "ci")

    async def go() -> None:
        auth = authenticator(store)
        await at_once(auth, 8)
        assert await outcome(auth.identify(ANA, HERE)) == 429  # never seen before: it might be a guess
        assert (await auth.identify(BOB, HERE)).account == "bob"
        assert (await auth.identify(ANA, ELSEWHERE)).account == "ana"
        for n in range(8):
            await outcome(auth.identify(b"Bearer ph_wrong%d" % n, HERE))
        assert (await auth.identify(b"Bearer " + token.encode(), HERE)).account == "token:ci"
        assert (await auth.identify(ANA, HERE)).account == "ana"  # it was verified from elsewhere meanwhile

    asyncio.run(go())


def test_names_that_are_nobody_s_are_limited_together(store: Store) -> None:
    async def go() -> None:
        auth = authenticator(store)
        tried = [await outcome(auth.identify(basic(f"name{n}", "password1"), HERE)) for n in range(8)]
        assert tried == [401] * LIMIT + [429] * 5
        assert (
            await outcome(auth.identify(basic("ana", "wrong one"), HERE)) == 429
        )  # or it would tell who exists
        assert (await auth.identify(ANA, HERE)).account == "ana"
        assert await outcome(auth.identify(basic("bob", "wrong one"), ELSEWHERE)) == 401

    asyncio.run(go())


def test_one_address_cannot_guess_at_every_account(store: Store) -> None:
    with store.write() as session:
        for n in range(5):
            session.add(User(name=f"user{n}", password=passwords.UNKNOWN_USER, created=0))

    async def go() -> None:
        auth = authenticator(store)
        found = [r for n in range(5) for r in await at_once(auth, LIMIT + 1, f"user{n}")]
        assert found.count(401) == 4 * LIMIT

    asyncio.run(go())


def test_right_passwords_do_not_count(store: Store) -> None:
    async def go() -> None:
        auth = authenticator(store)
        for n in range(LIMIT + 1):
            with store.write() as session:
                accounts.add_user(session, f"user{n}", "correct horse")
            assert (await auth.identify(basic(f"user{n}", "correct horse"), HERE)).account == f"user{n}"
        assert await outcome(auth.identify(basic("ana", "wrong one"), HERE)) == 401

    asyncio.run(go())


def test_a_changed_password_ends_what_was_verified(store: Store) -> None:
    async def go() -> None:
        auth = authenticator(store, seconds=0.0)
        assert (await auth.identify(ANA, HERE)).account == "ana"
        with store.write() as session:
            session.execute(update(User).values(password=passwords.hash_password("another one")))
        assert await outcome(auth.identify(ANA, HERE)) == 401
        assert (await auth.identify(basic("ana", "another one"), HERE)).account == "ana"

    asyncio.run(go())


def test_a_revoked_token_ends_and_its_uses_are_noted(store: Store) -> None:
    with store.write() as session:
        token = accounts.add_token(session, "ci")

    async def go() -> None:
        auth = authenticator(store, seconds=0.0)
        assert (await auth.identify(b"Bearer " + token.encode(), HERE)).account == "token:ci"
        await auth.flush()
        with store.write() as session:
            assert session.get_one(Token, "ci").last_used is not None
            accounts.revoke_token(session, "ci")
        assert await outcome(auth.identify(b"Bearer " + token.encode(), HERE)) == 401

    asyncio.run(go())


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_window_holds_its_limit_in_any_minute() -> None:
    clock = Clock()
    windows = Windows(2, clock)
    assert [windows.wait("a"), windows.take("a")] == [0.0, 100.0]
    clock.now = 130.0
    windows.take("a")
    assert windows.wait("a") == 30.0
    assert windows.wait("b") == 0.0
    clock.now = 160.0
    assert windows.wait("a") == 0.0
    windows.give_back("a", windows.take("a"))
    assert windows.count("a") == 1


def test_a_window_s_memory_is_bounded() -> None:
    windows = Windows(2)
    for n in range(10_050):
        windows.take(str(n))
    assert len(windows._acts) == 10_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "unknown", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same
