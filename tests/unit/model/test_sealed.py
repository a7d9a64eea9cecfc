"""Files in which programs keep secrets under lock."""

from __future__ import annotations

import json

import pytest

from package_hunter.model.sealed import seal, unseal


@pytest.mark.parametrize(
    "around", ['{"data":"%s"}', "-----BEGIN-----\n\n%s\n-----END-----\n", "Head\n\r%s\n"]
)
@pytest.mark.parametrize("data", [["a", "short", "list", 1], {"a": ["x" * 500, 1, None]}, "one word"])
def test_what_was_sealed_comes_out_and_cannot_be_read_as_it_stands(around: str, data: object) -> None:
    content = seal(data, around)
    assert unseal(content) == data
    assert b"xxxx" not in content and json.dumps(data).encode() not in content


@pytest.mark.parametrize("content", [b"", b"{}", b"A" * 40, b"a plain file of words\n" * 20])
def test_what_was_never_sealed_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError):
        unseal(content)
