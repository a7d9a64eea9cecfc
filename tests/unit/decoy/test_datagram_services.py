from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.datagram_services import answer

_BOX = ("10.88.0.2", 40_000)


def test_the_time_is_told_and_the_question_given_back() -> None:
    said = answer(b"\x23" + bytes(39) + b"mystamp!", _BOX, 123)
    assert said is not None and len(said) == 48 and said[0] == 0x24 and said[24:32] == b"mystamp!"
    assert answer(b"\x24" + bytes(47), _BOX, 123) is None and answer(b"\x23", _BOX, 123) is None


def test_a_device_answers_in_the_questions_form() -> None:
    ask = bytes.fromhex("302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500")
    said = answer(ask, _BOX, 161)
    assert said == ask.replace(b"\xa0\x19", b"\xa2\x19")
    assert answer(said or b"", _BOX, 161) is None


def test_a_client_is_told_its_own_address() -> None:
    ask = b"\0\x01\0\0\x21\x12\xa4\x42" + b"transaction!"
    said = answer(ask, _BOX, 3478) or b""
    assert said[:4] == b"\x01\x01\0\x0c" and said[4:20] == ask[4:]
    assert int.from_bytes(said[26:28], "big") ^ 0x2112 == 40_000
    address = int.from_bytes(said[28:32], "big") ^ 0x2112A442
    assert ipaddress.ip_address(address) == ipaddress.ip_address("10.88.0.2")
    six = answer(ask, ("fd88::2", 1), 9) or b""
    number = int.from_bytes(six[28:44], "big") ^ int.from_bytes(ask[4:20], "big")
    assert ipaddress.ip_address(number) == ipaddress.ip_address("fd88::2")


def test_an_echo_is_one_and_a_log_is_not_answered() -> None:
    assert answer(b"x", _BOX, 7) == b"x"
    assert answer(b"<13>Jan 1 host app: words", _BOX, 514) is None


@given(st.binary(max_size=100), st.sampled_from([123, 161, 7, 3478]))
def test_no_bytes_break_it(data: bytes, port: int) -> None:
    answer(data, _BOX, port)
    answer(b"\x30" + data, _BOX, 161)
