"""Values as JSON can hold them, whatever a box put into them. (The shape of a report: model/report_form.py.)"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

from package_hunter.model.text import well_formed

_MAX_DEPTH = 64
_MAX_BITS = 128


def clean(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it: text well formed, bytes that are no UTF-8 as ``\\xNN``, numbers that JSON (or
    Python's own reader of it) has no form for as text, what is nested deeper than 64 levels left out."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {well_formed(str(k)): clean(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(v, depth + 1) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1}"
    return value if value is None or isinstance(value, bool | int | float) else well_formed(str(value))


def body_json(body: bytes) -> tuple[str, str]:
    """Body and its encoding: ``utf-8`` where it is text, else ``base64``."""
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"
