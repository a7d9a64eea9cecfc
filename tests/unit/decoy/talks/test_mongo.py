from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pymongo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.bson import encode, top_level
from package_hunter.decoy.talks.mongo import play
from tests.support.talk_table import said_to, served


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("<iiii", 16 + len(body), 1, 0, kind) + body


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("compressors", ["", "zlib"])
def test_a_stock_client_logs_in_and_writes_and_reads(tmp_path: Path, tls: bool, compressors: str) -> None:
    with served(play, tmp_path, tls) as server:
        secured: dict[str, object] = {"tls": True, "tlsCAFile": str(server.ca)} if tls else {}
        if compressors:
            secured["compressors"] = compressors
        login = {"username": "u", "password": "sesame", "authMechanism": "PLAIN", "authSource": "$external"}
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            "localhost", server.port, **login, **secured
        )
        with client:
            table = client["loot"]["t"]
            assert table.insert_one({"words": "open sesame " * 1_000}).acknowledged
            assert len(table.insert_many([{"n": n} for n in range(50)]).inserted_ids) == 50
            assert list(table.find()) == [] and table.update_one({}, {"$set": {"a": 1}}).modified_count == 1
            assert "app" in client.list_database_names() and client.server_info()["version"] == "7.0.15"
        assert b"open sesame open" in server.heard or compressors != "zlib"  # else it stood in the clear


def test_a_client_that_proves_its_password_is_refused_in_the_servers_words(tmp_path: Path) -> None:
    with served(play, tmp_path) as server:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            "localhost", server.port, username="u", password="p", authMechanism="SCRAM-SHA-256"
        )
        with client, pytest.raises(pymongo.errors.OperationFailure, match="Authentication failed"):
            client["a"]["b"].insert_one({})


@pytest.mark.parametrize("size", [0, 15, -1, 48_000_017, 0x7FFFFFFF])
def test_a_lie_about_a_length_ends_the_connection(size: int) -> None:
    assert said_to(play, struct.pack("<iiii", size, 1, 0, 2013) + bytes(100)) == b""


def test_a_bomb_is_heard_in_pieces_and_up_to_a_limit() -> None:
    class Heard(bytearray):
        most = total = 0

        def __iadd__(self, data: object) -> Heard:  # type: ignore[override, misc]
            assert isinstance(data, bytes)
            self.most, self.total = max(self.most, len(data)), self.total + len(data)
            return self

    heard = Heard()
    bomb = struct.pack("<iiB", 2013, 1 << 28, 2) + zlib.compress(bytes(100 << 20))
    said_to(play, message(2012, bomb), heard)
    assert heard.most <= (64 << 10) + 1 and 64 << 20 <= heard.total < 66 << 20


def test_broken_compression_ends_nothing() -> None:
    broken = message(2012, struct.pack("<iiB", 2013, 10, 2) + b"no zlib at all")
    other = message(2012, struct.pack("<iiB", 2013, 10, 1) + b"snappy, not offered")
    assert b"ok" in said_to(play, broken + other + message(2013, bytes(5) + encode({"ping": 1})))


def test_what_wants_no_answer_gets_none() -> None:
    assert said_to(play, message(2013, b"\x02\0\0\0\0" + encode({"insert": "t"}))) == b""


def test_documents_are_read_as_they_are_written() -> None:
    written = {"a": "x", "b": 5, "c": 1 << 40, "d": b"raw", "e": True, "f": None}
    assert top_level(encode(written)) == {"a": "x", "b": 5, "c": 1 << 40, "d": b"raw", "e": 1, "f": b""}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([1, 2002, 2004, 2012, 2013]))
def test_no_bytes_break_it(data: bytes, kind: int) -> None:
    top_level(data)
    said_to(play, message(kind, data) + data)
    said_to(play, message(2013, bytes(5) + encode({"insert": "t", "x": 1})[:-1] + data))
    said_to(play, message(2012, struct.pack("<iiB", kind, 1, 2) + zlib.compress(data)))
