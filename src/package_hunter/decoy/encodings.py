"""A stage as a loader expects it that decodes before it executes: base64, hex, packed, reversed, in a JSON field.

An encoding is a name such as ``json+base64``: what is outermost stands first.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Sequence

MEMBERS = (
    "data",
    "code",
    "payload",
    "content",
    "script",
    "body",
    "result",
    "message",
    "stage",
    "text",
    "value",
    "src",
)


def encoded(stage: bytes, encoding: str, members: Sequence[str] = ()) -> bytes:
    """The stage in an encoding; ``members`` are names that a JSON object has it under, beside the usual ones."""
    for step in reversed(encoding.split("+")):
        stage = _step(stage, step, members)
    return stage


def _step(data: bytes, step: str, members: Sequence[str]) -> bytes:
    if step == "base64":
        return base64.b64encode(data)
    if step == "hex":
        return data.hex().encode()
    if step == "gzip":
        return gzip.compress(data)
    if step == "zlib":
        return zlib.compress(data)
    if step == "reversed":
        return data[::-1]
    if step == "json":
        text = data.decode("latin-1")
        return json.dumps(dict.fromkeys((*MEMBERS, *members), text)).encode()
    raise ValueError(f"there is no encoding {step!r}")
