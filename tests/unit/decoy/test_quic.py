"""Keys are those of RFC 9001, appendix A; a client's packets are made here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.quic import (
    Greeting,
    NoInitialError,
    crypto_pieces,
    keys,
    open_initial,
    seal_initial,
)
from tests.support.quic_client import FROM, TO, client_hello, crypto, initial

_VERSIONS = (1, 0x6B3343CF)


def test_the_keys_are_those_of_the_standards_example() -> None:
    client = keys(1, TO, "client")
    assert client.key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert client.vector.hex() == "fa044b2f42a3fd3b46fb255c"
    assert client.header.hex() == "9f50449e04a0e810283a1e9933adedd2"


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_name_is_read_and_the_client_refused_in_its_own_keys(version: int) -> None:
    greeting = Greeting()
    heard = greeting.hear(initial(crypto(0, client_hello("stolen.example")), version) + bytes(40))
    assert heard is not None and greeting.name == "stolen.example" and b"stolen.example" in heard[0]
    answer = heard[1]
    own = keys(version, TO, "server")
    resealed = seal_initial(version, (FROM, TO), b"\x1c\x02\0\0" + bytes(16), own)
    assert answer == resealed  # CONNECTION_CLOSE, to the client's id


def test_a_hello_in_pieces_out_of_order_is_put_together() -> None:
    hello = client_hello("pieces.example")
    greeting = Greeting()
    assert greeting.hear(initial(crypto(100, hello[100:200]) + b"\x01" + crypto(200, hello[200:])))
    assert greeting.name is None
    assert greeting.hear(initial(crypto(0, hello[:100]), number=1, to=b"otherid1"))
    assert greeting.name == "pieces.example"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0\0\0\0\x01",
        b"\xc3" + bytes(1200),
        b"\xc0\0\0\0\x01\xff" + bytes(300),  # an id of 255 bytes
        initial(b"\x01")[:-1] + b"x",  # a wrong seal
        initial(b"\x01") + b"secret",  # something behind it
        initial(b"\x08\x00hello"),  # a stream's frame has no place there
        b"\xc0\0\0\0\x01\x08"
        + TO
        + b"\x00\xff\xff\xff\xff\xff\xff\xff\xff"
        + bytes(300),  # a token's length that lies
    ],
)
def test_what_is_no_initial_is_not_refused(data: bytes) -> None:
    assert Greeting().hear(data) is None


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_break_it(head: bytes, payload: bytes) -> None:
    for data in (head, b"\xc0\0\0\0\x01" + head, initial(payload)[: 20 + len(head)] + head):
        try:
            open_initial(data)
        except NoInitialError:
            pass
    try:
        crypto_pieces(payload)
    except NoInitialError:
        pass
    Greeting().hear(initial(payload))
