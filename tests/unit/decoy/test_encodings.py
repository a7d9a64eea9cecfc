"""A stage is got back by what loaders do."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.encodings import encoded

STAGE = b'require("http")'


@given(st.binary(max_size=200))
def test_each_alone(stage: bytes) -> None:
    assert base64.b64decode(encoded(stage, "base64")) == stage
    assert bytes.fromhex(encoded(stage, "hex").decode()) == stage
    assert gzip.decompress(encoded(stage, "gzip")) == stage
    assert zlib.decompress(encoded(stage, "zlib")) == stage
    assert encoded(stage, "reversed")[::-1] == stage


def test_together_outermost_first() -> None:
    body = json.loads(encoded(STAGE, "json+reversed+base64+gzip", ("widget",)))
    assert body["widget"] == body["data"]
    assert gzip.decompress(base64.b64decode(body["widget"][::-1])) == STAGE


def test_an_unknown_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="rot13"):
        encoded(STAGE, "rot13")
