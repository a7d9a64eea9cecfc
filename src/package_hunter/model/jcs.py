"""Canonical JSON (RFC 8785, the JSON Canonicalization Scheme): one text for one value, so that it has one digest."""

from __future__ import annotations

import encodings.utf_16_be  # noqa: F401 (keys are sorted by it; where rights are given up, codecs cannot be loaded)
from typing import Any

import rfc8785

CanonicalizationError = rfc8785.CanonicalizationError
"""What `dumps` raises where a value has no such form: a number beyond 2^53, NaN."""


def dumps(value: Any) -> bytes:
    """The value's one text, in UTF-8; CanonicalizationError, UnicodeEncodeError (a lone surrogate)."""
    return rfc8785.dumps(value)
