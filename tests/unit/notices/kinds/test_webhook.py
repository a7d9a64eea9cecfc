"""Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time

import pytest

from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.webhook import Webhook, key_of, new_secret, send, sign
from tests.support.receivers import HOSTILE, Told, hostile_message, message, receiver, tools


def test_the_specifications_own_vector() -> None:
    """Of the reference libraries' tests."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def _verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver does it, written from the specification."""
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return any(
        hmac.compare_digest(part.removeprefix("v1,"), wanted)
        for part in headers["webhook-signature"].split(" ")
        if part.startswith("v1,")
    )


def test_a_receiver_verifies_it() -> None:
    with receiver() as there:
        to = Webhook(url=f"{there.url}/in?x=1")
        send(message(facts={"commit": "abc"}), to, tools())
    (got,) = there.got
    headers = dict(got.headers)
    assert (got.method, got.path, headers["content-type"]) == ("POST", "/in?x=1", "application/json")
    assert headers["webhook-id"] == "msg_0123456789abcdef"
    assert _verified(to.secret, headers, got.body)
    assert not _verified(new_secret(), headers, got.body)
    assert not _verified(to.secret, headers, got.body + b" ")
    assert not _verified(to.secret, headers | {"webhook-id": "msg_other"}, got.body)
    assert got.json["type"] == "proof.found"
    assert got.json["timestamp"] == "2026-11-30T12:00:00.000Z"
    assert got.json["data"]["facts"] == {"commit": "abc"}
    assert got.json["data"]["place"] == "web/shop"


def test_machines_get_the_very_text_in_ascii() -> None:
    with receiver() as there:
        send(hostile_message(), Webhook(url=there.url), tools())
    assert there.got[0].body.isascii()
    assert there.got[0].json["data"]["what"] == HOSTILE


@pytest.mark.parametrize(
    ("status", "headers", "final", "after"),
    [
        (500, {}, False, 0),
        (404, {}, False, 0),
        (410, {}, True, 0),
        (302, {"Location": "http://127.0.0.1:1/"}, False, 0),
        (429, {"Retry-After": "120"}, False, 120_000),
        (503, {"Retry-After": "999999999"}, False, 86_400_000),
        (503, {"Retry-After": "-5"}, False, 0),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, False, 0),
        (503, {"Retry-After": "9" * 400}, False, 0),
        (503, {"Retry-After": "tomorrow"}, False, 0),
    ],
)
def test_what_is_no_success(status: int, headers: dict[str, str], final: bool, after: int) -> None:
    with receiver(lambda _: Told(status, b"", headers)) as there, pytest.raises(NotDeliveredError) as caught:
        send(message(), Webhook(url=there.url), tools())
    assert re.match(rf"It answered {status}", caught.value.message)
    assert (caught.value.final, caught.value.after) == (final, after)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!!", "whsec_" + "A" * 28, "sk_" + "A" * 44, "whsec_é"]
)
def test_what_is_no_signing_key(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|24 to 64"):
        Webhook(url="https://x.example/", secret=secret)


def test_a_new_signing_key_is_its_own() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(key_of(first)) == 32
