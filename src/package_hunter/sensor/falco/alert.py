"""One alert of a Falco, as its JSON outputs give it (http_output, file_output, program_output): every field
untrusted, since processes in the box choose most of what it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from package_hunter.model.observation import Alert
from package_hunter.model.scales import priority_named
from package_hunter.model.text import all_well_formed

MAX_ALERT_BYTES = 1 << 20
_MAX_FIELDS = 400
_MAX_TEXT = 64 << 10
_MAX_TAGS = 100
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


class BadAlertError(ValueError):
    """What came is no alert of Falco's."""


def parse(data: bytes) -> Alert:
    """The alert that one line or one request holds. BadAlertError where it is none."""
    if len(data) > MAX_ALERT_BYTES:
        raise BadAlertError("longer than any alert")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise BadAlertError("no JSON (json_output is off?)") from None
    if not isinstance(found, dict):
        raise BadAlertError("no JSON object")
    fields = found.get("output_fields")
    if not isinstance(fields, dict) or len(fields) > _MAX_FIELDS:
        raise BadAlertError("without output_fields")
    priority = priority_named(_text(found, "priority"))
    if priority is None:
        raise BadAlertError("of no known priority")
    kept = {str(key)[:200]: _value(value) for key, value in fields.items()}
    tags = found.get("tags")
    alert = Alert(
        time_ns=_time(_text(found, "time")),
        rule=_text(found, "rule"),
        priority=priority,
        output=str(found.get("output") or "")[:_MAX_TEXT],
        output_fields=kept,
        tags=tuple(str(tag)[:200] for tag in tags[:_MAX_TAGS]) if isinstance(tags, list) else (),
        source=str(found.get("source") or "syscall")[:200],
        event_num=number(kept, "evt.num") or 0,
        event_type=str(kept.get("evt.type") or ""),
        pid=number(kept, "proc.pid") or 0,
        tid=number(kept, "thread.tid") or number(kept, "proc.pid") or 0,
    )
    return all_well_formed(alert)  # JSON may hold half of a character


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """A field as a number (JSON gives numbers, other outputs text); None where it is none."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        found = int(value)
    except ValueError:
        return None
    return found if -(1 << 63) <= found < 1 << 64 else None


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field as text; ``""`` where it is absent (Falco says null or <NA>)."""
    value = fields.get(name)
    return "" if value is None or value == "<NA>" else str(value)


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise BadAlertError(f"without {key}")
    return value[:_MAX_TEXT]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if value is None or isinstance(value, bool | int | float):
        return value
    return json.dumps(value)[:_MAX_TEXT]


def _time(said: str) -> int:
    """RFC 3339 with up to nine digits of a second, in ns since the epoch."""
    match = _TIME.fullmatch(said)
    if match is None:
        raise BadAlertError("without a time")
    zone = "+00:00" if match[3] == "Z" else match[3]
    try:
        whole = datetime.fromisoformat(match[1] + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadAlertError("without a time") from None
    return int(whole.timestamp()) * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))
