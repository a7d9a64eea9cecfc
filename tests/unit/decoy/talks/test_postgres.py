from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.postgres import play
from tests.support.talk_table import said_to, served

_LOGIN = b"\0\0\0\x0f\0\x03\0\0user\0u\0" + b"p\0\0\0\x07pw\0"


@pytest.mark.parametrize("mode", ["disable", "require", "verify-full"])
def test_a_stock_client_gives_its_password_and_its_rows(tmp_path: Path, mode: str) -> None:
    with served(play, tmp_path) as server:
        where = f"host=localhost port={server.port} user=u password=sesame dbname=x sslmode={mode}"
        with psycopg.connect(where, sslrootcert=str(server.ca)) as box:
            assert box.execute("insert into t values (%s, %s)", ("a", 1)).statusmessage == "INSERT 0 1"
            assert box.execute("select * from t where a = %s", ("x",)).fetchall() == []
            assert box.execute("insert into t values (%s) returning id", ("x",)).fetchall() == []
            assert "PostgreSQL 16" in box.execute("select version()").fetchone()[0]
            with box.cursor() as cursor:
                with cursor.copy("copy t from stdin") as copy:
                    copy.write(b"row\n" * 100_000)
                cursor.executemany("insert into t values (%s)", [("a",), ("b",)])
                with cursor.copy("copy t to stdout") as copy:
                    assert list(copy) == []
        assert bytes(server.heard) == b"\nsesame"
        assert server.tables[0].secured == (mode != "disable")


def test_the_password_is_heard_of_a_client_that_is_inside_tls_from_the_start() -> None:
    heard = bytearray()
    said = said_to(play, _LOGIN + b"Q\0\0\0\x0dselect 1\0" + b"X\0\0\0\x04", heard)
    assert heard == b"\npw" and said.endswith(
        b"D\0\0\0\x0b\0\1\0\0\0\x011" + b"C\0\0\0\x0dSELECT 1\0" + b"Z\0\0\0\x05I"
    )


def test_statements_of_one_text_are_answered_each() -> None:
    text = b"begin; insert into a values ('x;y'); -- note; \n commit\0"
    said = said_to(play, _LOGIN + b"Q" + (4 + len(text)).to_bytes(4, "big") + text)
    assert said.endswith(b"C\0\0\0\x0aBEGIN\0C\0\0\0\x0fINSERT 0 1\0C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\x7f\xff\xff\xff\0\x03\0\0", b"08P01"),
        (b"\0\0\0\x08\0\x02\0\0", b"0A000"),
        (b"\0\0\0\x0f\0\x03\0\0user\0u\0Q\0\0\0\x04", b"08P01"),
        (_LOGIN + b"Q\xff\xff\xff\xff", b"08P01"),
        (_LOGIN + b"Q\0\0\0\x01", b"08P01"),
        (_LOGIN + b"~\0\0\0\x04", b"08P01"),
    ],
)
def test_a_lie_is_told_as_the_real_server_does(said: bytes, code: bytes) -> None:
    assert b"SFATAL\0VFATAL\0C" + code in said_to(play, said + bytes(100))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(b"QPBDECSHFXdcf"), st.binary(max_size=60))), st.binary(max_size=100)
)
def test_no_bytes_break_it(parts: list[tuple[int, bytes]], rest: bytes) -> None:
    framed = b"".join(bytes((kind,)) + (4 + len(data)).to_bytes(4, "big") + data for kind, data in parts)
    said_to(play, _LOGIN + framed + rest)
    said_to(play, rest)
