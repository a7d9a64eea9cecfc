"""Server-sent events, read (HTML Living Standard, 9.2.6): as far as this server sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

_MAX_DATA = 64 << 10


def parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each whole event as ``{"event", "id", "data"}``; ``data`` is its JSON, or its text where it is none."""
    name, number, data = "message", "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield {"event": name, "id": number, "data": _value(data)}
            name, number, data = "message", "", ""
        elif field == "event":
            name = value[:64]
        elif field == "id" and "\0" not in value:
            number = value[:20]
        elif field == "data":
            data = (f"{data}\n{value}" if data else value)[:_MAX_DATA]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
