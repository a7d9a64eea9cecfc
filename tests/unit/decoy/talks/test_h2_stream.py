"""A request of HTTP/2 in the words of HTTP/1.1."""

from __future__ import annotations

import contextlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.talks.h2_stream import request

_ASKED = [(b":method", b"POST"), (b":path", b"/a?b"), (b":authority", b"x.example"), (b":scheme", b"https")]


def _headers(made: h11.Request) -> dict[bytes, bytes]:
    return dict(made.headers)


def test_the_authority_is_the_host_and_a_body_without_a_length_is_chunked() -> None:
    made = request([*_ASKED, (b"host", b"other.example"), (b"cookie", b"a=1"), (b"cookie", b"b=2")], True)
    assert (made.method, made.target) == (b"POST", b"/a?b")
    assert _headers(made) == {
        b"host": b"x.example",
        b"cookie": b"a=1; b=2",
        b"transfer-encoding": b"chunked",
    }


def test_a_length_is_kept_and_what_belongs_to_a_connection_is_not() -> None:
    extra = [(b"content-length", b"3"), (b"transfer-encoding", b"chunked"), (b"upgrade", b"websocket")]
    assert _headers(request([*_ASKED, *extra], True)) == {b"host": b"x.example", b"content-length": b"3"}
    assert _headers(request(_ASKED, False)) == {b"host": b"x.example"}


def test_a_line_break_in_a_value_makes_no_second_request() -> None:
    with pytest.raises(h11.LocalProtocolError):
        request([*_ASKED, (b"x", b"1\r\n\r\nGET / HTTP/1.1")], False)


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=8), st.booleans())
def test_any_headers_are_one_request_or_refused(headers: list[tuple[bytes, bytes]], has_body: bool) -> None:
    with contextlib.suppress(h11.LocalProtocolError):
        wire = h11.Connection(h11.CLIENT).send(request([*_ASKED, *headers], has_body))
        server = h11.Connection(h11.SERVER)
        server.receive_data(wire or b"")
        assert isinstance(server.next_event(), h11.Request)
        assert server.trailing_data[0] == b""
