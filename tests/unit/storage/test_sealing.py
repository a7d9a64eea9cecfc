"""Sealed artefacts: nothing that is changed, moved, cut or swapped opens."""

from __future__ import annotations

import secrets

import pytest

from package_hunter.storage.errors import DamagedError
from package_hunter.storage.keys import Keys, key_of
from package_hunter.storage.sealing import CHUNK, HEADER, TAG, seal, sealed_size, unseal

KEY, OLD, OTHER = (key_of(bytes([n]) * 32) for n in (1, 2, 3))
KEYS = Keys((KEY, OLD))
STEP = CHUNK + TAG


def sealed(content: bytes, what: str = "archive/aa", key=KEY, piece: int = 100_000) -> bytes:
    return b"".join(seal((content[n : n + piece] for n in range(0, len(content), piece)), key, what))


def opened(text: bytes, what: str = "archive/aa", keys: Keys = KEYS, piece: int = 77_777) -> bytes:
    return b"".join(unseal((text[n : n + piece] for n in range(0, len(text), piece)), keys, what))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_is_sealed_opens_again_whatever_its_size(size: int) -> None:
    content = secrets.token_bytes(size)
    text = sealed(content)
    assert len(text) == sealed_size(size)
    assert opened(text) == content
    assert size < 64 or content[:64] not in text


def test_the_same_content_is_never_sealed_the_same() -> None:
    assert sealed(b"content") != sealed(b"content")


CONTENT = bytes(range(256)) * 1024 * 3 + b"end"  # three whole chunks and a bit


def swapped(text: bytes) -> bytes:
    first, second = text[HEADER : HEADER + STEP], text[HEADER + STEP : HEADER + 2 * STEP]
    return text[:HEADER] + second + first + text[HEADER + 2 * STEP :]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda t: t[:-1], id="a byte cut off"),
        pytest.param(lambda t: t[: HEADER + 3 * STEP], id="the last chunk cut off"),
        pytest.param(lambda t: t[: HEADER + STEP], id="all but the first cut off"),
        pytest.param(lambda t: t[:HEADER], id="the header alone"),
        pytest.param(lambda t: t[: HEADER - 1], id="not even the header"),
        pytest.param(lambda t: b"", id="nothing"),
        pytest.param(swapped, id="two chunks swapped"),
        pytest.param(lambda t: t[:HEADER] + t[HEADER + STEP :], id="the first left out"),
        pytest.param(lambda t: t + b"\0", id="a byte more"),
        pytest.param(lambda t: t[: HEADER + 9] + bytes([t[HEADER + 9] ^ 1]) + t[HEADER + 10 :], id="a bit"),
        pytest.param(lambda t: t[:20] + bytes([t[20] ^ 1]) + t[21:], id="a bit of the salt"),
        pytest.param(lambda t: b"PHSEAL9\n" + t[8:], id="another form"),
    ],
)
def test_what_was_changed_does_not_open(change) -> None:
    with pytest.raises(DamagedError):
        opened(change(sealed(CONTENT)))


def test_one_artefact_does_not_open_as_another() -> None:
    with pytest.raises(DamagedError):
        opened(sealed(b"content", "archive/aa"), "recording/aa")


def test_keys_that_were_replaced_still_open_and_strange_ones_do_not() -> None:
    assert opened(sealed(b"content", key=OLD)) == b"content"
    with pytest.raises(DamagedError, match="not in the key file"):
        opened(sealed(b"content", key=OTHER))
