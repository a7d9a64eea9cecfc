from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.mysql import play
from package_hunter.decoy.talks.mysql_replies import Session
from tests.support.talk_table import said_to, served

_ABILITIES = (0x200 | 0x8000 | 0x80000).to_bytes(4, "little")


def packet(number: int, data: bytes) -> bytes:
    return len(data).to_bytes(3, "little") + bytes((number,)) + data


def hello(plugin: bytes) -> bytes:
    return packet(1, _ABILITIES + bytes(28) + b"root\0\x04abcd" + plugin + b"\0")


@pytest.mark.parametrize("tls", [False, True])
def test_a_stock_client_gives_its_password_and_its_rows(tmp_path: Path, tls: bool) -> None:
    with served(play, tmp_path) as server:
        secured = {"ssl": {"ca": str(server.ca)}} if tls else {"ssl_disabled": True}
        box = pymysql.connect(host="localhost", port=server.port, user="root", password="sesame", **secured)
        with box, box.cursor() as cursor:
            assert cursor.execute("insert into t values (%s)", ("x",)) == 1
            assert cursor.execute("select a, b from t") == 0
            cursor.execute("select @@version_comment, 1 limit 1")
            assert cursor.fetchall() == (("MySQL Community Server - GPL", "1"),)
            box.commit()
        assert bytes(server.heard) == b"\nsesame"
        assert server.tables[0].secured == tls


def test_a_client_that_knows_older_ways_only_is_let_in() -> None:
    said = said_to(play, hello(b"mysql_native_password") + packet(0, b"\x0e") + packet(0, b"\x01"))
    assert said.endswith(packet(2, b"\0\0\0\x02\0\0\0") + packet(1, b"\0\0\0\x02\0\0\0"))


def test_local_files_are_never_asked_for() -> None:
    said = Session().reply(b"\x03LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t")
    assert said[0][:1] == b"\xff" and len(said) == 1


def test_statements_are_prepared_with_their_placeholders() -> None:
    said = Session().reply(b"\x16insert into t values (?, '?', ?) -- ?")
    assert said[0] == b"\0\x01\0\0\0" + b"\0\0" + b"\x02\0" + b"\0\0\0" and len(said) == 4


def test_many_statements_of_one_text_say_that_more_comes() -> None:
    first, second = Session().reply(b"\x03set a=1; insert into t values (';')")
    assert first[3] & 8 and not second[3] & 8 and second[1] == 1


@pytest.mark.parametrize("said", [packet(1, b"x"), packet(1, bytes(40)), packet(1, b"")])
def test_what_is_no_login_is_told_so(said: bytes) -> None:
    assert b"Bad handshake" in said_to(play, said)


def test_a_command_of_many_pieces_is_one() -> None:
    piece = b"\xff\xff\xff\0" + b"\x03insert" + b" " * (0xFFFFFF - 7)
    said = said_to(play, hello(b"mysql_native_password") + piece + packet(1, b"x") + packet(0, b"\x01"))
    assert said.endswith(packet(2, b"\0\x01\0\x02\0\0\0"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(max_size=60)),
    st.sampled_from([b"caching_sha2_password", b"x"]),
    st.binary(max_size=100),
)
def test_no_bytes_break_it(parts: list[bytes], plugin: bytes, rest: bytes) -> None:
    said_to(play, hello(plugin) + b"".join(packet(0, part) for part in parts) + rest)
    said_to(play, packet(1, _ABILITIES + rest))
    said_to(play, rest)
