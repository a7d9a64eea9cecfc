from __future__ import annotations

from pathlib import Path

import pytest
import redis as client
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.redis import play
from tests.support.talk_table import said_to, served


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("protocol", [2, 3])
def test_a_stock_client_logs_in_and_gets_back_what_it_set(tmp_path: Path, tls: bool, protocol: int) -> None:
    with served(play, tmp_path, tls) as server:
        secured = {"ssl": True, "ssl_ca_certs": str(server.ca)} if tls else {}
        box = client.Redis("localhost", server.port, username="u", password="p", protocol=protocol, **secured)
        with box:
            assert box.ping() and box.set("k", "v") and box.get("k") == b"v" and box.get("other") is None
            assert box.hgetall("h") == {} and box.rpush("l", "x") == 1 and box.delete("k") == 1
            assert box.pipeline().set("q", 1).get("q").execute() == [True, b"1"]
            with box.pubsub() as channel:
                channel.subscribe("c")
                assert channel.get_message(timeout=5)["data"] == 1


def test_inline_commands_are_answered() -> None:
    assert (
        said_to(play, b"PING\r\n\r\nSET a b\nGET a\nQUIT\r\nPING\r\n")
        == b"+PONG\r\n+OK\r\n$1\r\nb\r\n+OK\r\n"
    )


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"*9999999\r\n", b"invalid multibulk length"),
        (b"*2\r\n$3\r\nGET\r\n$99999999999\r\n", b"invalid bulk length"),
        (b"*1\r\n$-5\r\n", b"invalid bulk length"),
        (b"*1\r\n+PING\r\n", b"expected '$', got '+'"),
    ],
)
def test_a_lie_about_a_length_ends_the_connection_as_redis_does(said: bytes, complaint: bytes) -> None:
    assert said_to(play, said + b"PING\r\n" * 3) == b"-ERR Protocol error: " + complaint + b"\r\n"


def test_a_value_of_any_size_goes_by_and_little_of_it_is_kept() -> None:
    big = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000000\r\n" + bytes(4_000_000) + b"\r\n"
    said = said_to(play, big + b"GET k\r\nQUIT\r\n")
    assert said.startswith(b"+OK\r\n") and len(said) < 70_000


def test_a_flood_of_keys_is_forgotten_again() -> None:
    flood = b"".join(b"SET k%d %s\r\n" % (number, b"x" * 500) for number in range(5_000))
    said = said_to(play, flood + b"GET k0\r\nGET k4999\r\nQUIT\r\n")
    assert b"$-1\r\n$500\r\n" in said


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([b"*2\r\n", b"$3\r\n", b"GET\r\n", b"HELLO 3\n", b"MULTI\n", b"EXEC\n"]),
        )
    )
)
def test_no_bytes_break_it(parts: list[bytes]) -> None:
    said_to(play, b"".join(parts))
