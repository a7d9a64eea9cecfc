"""Alerts as Falco says them, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

SCAN = "9d51e910-9a2c-40bf-9c51-31298c5743fb"
CONTAINER = "9d51e9109a2c"


def alert(rule: str = "Some rule", **fields: Any) -> dict[str, Any]:
    """An alert object; ``fields`` are output_fields with ``__`` for the dot."""
    given = {key.replace("__", "."): value for key, value in fields.items()}
    return {
        "hostname": "host",
        "output": "12:00:00.000000001: Notice something happened",
        "output_fields": {"evt.time": 1, "container.id": CONTAINER, **given},
        "priority": "Notice",
        "rule": rule,
        "source": "syscall",
        "tags": ["T1059", "process"],
        "time": "2026-11-23T12:00:00.000000001Z",
    }


def line(rule: str = "Some rule", **fields: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(alert(rule, **fields)).encode()
