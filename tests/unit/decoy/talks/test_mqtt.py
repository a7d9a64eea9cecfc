from __future__ import annotations

import threading
from pathlib import Path

import paho.mqtt.client as client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.mqtt import play
from tests.support.talk_table import said_to, served

_CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("version", [client.MQTTv31, client.MQTTv311, client.MQTTv5])
def test_a_stock_client_logs_in_and_publishes_and_follows(tmp_path: Path, tls: bool, version: int) -> None:
    with served(play, tmp_path, tls) as server:
        box = client.Client(client.CallbackAPIVersion.VERSION2, protocol=version)
        box.username_pw_set("u", "p")
        if tls:
            box.tls_set(str(server.ca))
        followed = threading.Event()
        box.on_subscribe = lambda *_: followed.set()
        box.connect("localhost", server.port)
        box.loop_start()
        for quality in (0, 1, 2):
            sent = box.publish("a/b", "x" * 100_000, quality)
            sent.wait_for_publish(20)
            assert sent.is_published()
        box.subscribe([("a/#", 2), ("b", 0)])
        assert followed.wait(20)
        box.disconnect()
        box.loop_stop()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (_CONNECT + b"\xc0\x00\xe0\x00\xc0\x00", b"\x20\x02\x00\x00\xd0\x00"),  # ping; nothing after goodbye
        (_CONNECT + _CONNECT, b"\x20\x02\x00\x00"),  # twice
        (b"\xc0\x00", b""),  # before the login
        (_CONNECT + b"\x30\xff\xff\xff\xff\xff", b"\x20\x02\x00\x00"),  # a length of five digits
        (
            _CONNECT + b"\x82\x05\x00\x01\x00\xffa",
            b"\x20\x02\x00\x00",
        ),  # a topic that is longer than its packet
        (b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01x", b"\x20\x02\x00\x01"),  # a version that is none
        (b"\x10\x0d\x00\x04XXXX\x04\x02\x00\x3c\x00\x01x", b""),
    ],
)
def test_each_packet_has_its_answer_and_a_broken_one_none(said: bytes, answer: bytes) -> None:
    assert said_to(play, said) == answer


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60)), st.integers(3, 5))
def test_no_bytes_break_it(parts: list[bytes], version: int) -> None:
    hello = b"\x10\x0d\x00\x04MQTT" + bytes((version,)) + b"\x02\x00\x3c\x00\x01x"
    framed = b"".join(bytes((part[0] if part else 0, len(part))) + part for part in parts)
    said_to(play, hello + framed)
    said_to(play, b"".join(parts))
