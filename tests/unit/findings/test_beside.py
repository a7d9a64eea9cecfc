"""What a request carries beside its body."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings import from_network
from package_hunter.findings.beside import hidden_beside, said_beside
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.model.observation import CanaryHit, NetworkLog, Observation, Request
from tests.support.judge_samples import T0

CIPHER = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(4))
HIDDEN = base64.b64encode(CIPHER).decode()


def asked(path: str = "/x", body: bytes = b"", **headers: str) -> Request:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(T0, "GET", f"http://a.example{path}", sent, body, len(body), 200, 7)


@pytest.mark.parametrize(
    "request_",
    [
        asked(X_Trace=HIDDEN),
        asked(X_Request_Id=CIPHER.hex()),
        asked(Cookie=f"sid={HIDDEN}"),
        asked(path=f"/a/{base64.urlsafe_b64encode(CIPHER).decode()}.png"),
        asked(path=f"/a?v={base64.urlsafe_b64encode(CIPHER[:64]).decode()}"),
    ],
)
def test_what_was_encrypted_is_seen_wherever_it_is_put(request_: Request) -> None:
    assert hidden_beside(request_) >= 64


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(User_Agent="tool/1.0 (linux; x64) " + "plain words " * 30),
        asked(Authorization=f"Bearer {HIDDEN}"),
        asked(
            X_Api_Key=HIDDEN, Private_Token=HIDDEN, X_Amz_Security_Token=HIDDEN, X_Auth=HIDDEN, Apikey=HIDDEN
        ),
        asked(Sec_WebSocket_Key=base64.b64encode(CIPHER[:16]).decode(), Sec_Ch_Ua=HIDDEN),
        asked(X_Request_Id="0f6b2c62-98f4-4d47-9b7f-0d3c8f6a9b1e"),
        asked(
            path=f"/blobs/sha512/{hashlib.sha512(b'a').hexdigest()}?sha256={hashlib.sha256(b'b').hexdigest()}"
        ),
        asked(
            X_Note=base64.b64encode(
                b"nothing but words that anybody can read, and more of them " * 3
            ).decode()
        ),
    ],
)
def test_what_anybodys_requests_hold_is_no_hiding_place(request_: Request) -> None:
    assert hidden_beside(request_) == 0


def _data_sent(request: Request, *hits: CanaryHit) -> list[tuple[object, object]]:
    context = Context(Observation(), NetworkLog(requests=(request,), hits=hits), RoundFacts(), None)
    found = from_network.signals(context, ())
    return [(one.facts["bytes"], one.facts["opaque"]) for one in found if one.kind == "data_sent"]


def test_a_get_that_carries_it_in_a_header_sent_data() -> None:
    assert _data_sent(asked(X_Trace=HIDDEN)) == [(len(HIDDEN), True)]
    assert _data_sent(asked(X_Trace="words")) == []
    read = CanaryHit(T0, "one", (), "http-header", "a.example:80", 7, False)
    assert _data_sent(asked(X_Trace=HIDDEN), read) == [(len(HIDDEN), False)]


@given(st.text(max_size=300), st.lists(st.tuples(st.text(max_size=40), st.text(max_size=300)), max_size=5))
def test_no_request_breaks_it(url: str, headers: list[tuple[str, str]]) -> None:
    request = Request(T0, "GET", url, tuple(headers), b"", 0, 200, 1)
    assert 0 <= hidden_beside(request) <= len(said_beside(request))
