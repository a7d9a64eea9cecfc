"""What was sent, wrappings taken off."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import pytest

from package_hunter.report.evidence.decoded import layers

SECRET = b'{"token": "npm_0123456789abcdefghijklmnop", "user": "dev at devbox"}'
_B64 = base64.b64encode(SECRET)


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (json.dumps({"d": _B64.decode()}).encode(), "base64"),
        (base64.urlsafe_b64encode(SECRET), "base64"),
        (b"data=" + SECRET.hex().encode(), "hex"),
        (gzip.compress(SECRET), "gzip"),
        (zlib.compress(SECRET), "zlib"),
        (base64.b64encode(gzip.compress(SECRET)), "base64, gzip"),
        (base64.b64encode(_B64), "base64, base64"),
        (b"q=" + quote(SECRET.decode(), safe="").encode(), "percent signs"),
    ],
)
def test_what_is_inside_is_shown_with_its_wrapping(body: bytes, how: str) -> None:
    found = {layer.how: layer.text for layer in layers(body)}
    assert "" in found, "as it was sent comes first"
    assert SECRET.decode() in found[how]


def test_plain_text_has_no_further_layer() -> None:
    assert [layer.how for layer in layers(b"hello, this is plain text without any wrapping at all")] == [""]


def test_what_is_no_text_is_shown_in_base64() -> None:
    [layer] = layers(bytes(range(256)))
    assert layer.raw
    assert base64.b64decode(layer.text) == bytes(range(256))


def test_a_bomb_stays_small() -> None:
    bomb = gzip.compress(b"a" * (50 << 20))
    assert sum(len(layer.text) for layer in layers(bomb)) < 400_000


def test_wrapped_without_end() -> None:
    data = SECRET
    for _ in range(12):
        data = base64.b64encode(data)
    assert len(layers(data[: 64 << 10])) < 12


def test_nothing_is_nothing() -> None:
    assert layers(b"") == ()
