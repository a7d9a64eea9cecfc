"""What a change changes, as text that people read."""

from __future__ import annotations

import difflib
import json
from typing import Any

MAX_DIFF = 200_000
MAX_LINES = 20_000  # in both: comparing costs their product at worst
_CONTEXT = 3


def readable(document: Any) -> list[str]:
    """A document in lines: text as it is, keys in order, long texts line by line."""
    if document is None:
        return []
    lines: list[str] = []
    _write(document, "", lines)
    return lines


def _write(value: Any, path: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            _write(value[key], f"{path}.{key}" if path else str(key), lines)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value, 1):
            _write(item, f"{path}[{number}]", lines)
    elif isinstance(value, str) and "\n" in value:
        lines.append(f"{path}:")
        lines.extend(f"    {line}" for line in value.splitlines())
    else:
        lines.append(f"{path}: {json.dumps(value, ensure_ascii=False)}")


def diff(before: Any, after: Any) -> str:
    """A unified diff of the two, cut to a limit (which it says)."""
    old, new = readable(before), readable(after)
    if len(old) + len(new) > MAX_LINES:
        return f"{len(old)} lines in force, {len(new)} proposed: too many to compare line by line."
    text = "\n".join(difflib.unified_diff(old, new, "in force", "proposed", n=_CONTEXT, lineterm=""))
    if len(text) > MAX_DIFF:
        return text[:MAX_DIFF] + "\n... (cut: the whole is in the document)"
    return text
