"""What a change changes, as text that people read."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from package_hunter.model.text import visible

MAX_DIFF = 200_000
MAX_LINES = 20_000  # in both: comparing costs their product at worst
_CONTEXT = 3
_TAB = "\t"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


def readable(document: Any) -> list[str]:
    """A document in lines: keys in order, long texts line by line; what nobody sees, as escapes.

    Keys and texts are the proposer's: none of them can make a line of its own, or look like another.
    """
    if document is None:
        return []
    lines: list[str] = []
    _write(document, "", lines)
    return lines


def _write(value: Any, path: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            _write(value[key], f"{path}.{_key(key)}" if path else _key(key), lines)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value, 1):
            _write(item, f"{path}[{number}]", lines)
    elif isinstance(value, str) and "\n" in value:
        lines.append(f"{path}:")
        lines.extend(f"    {visible(line, keep=_TAB)}" for line in value.split("\n"))
    else:
        lines.append(f"{path}: {_json(value)}")


def _key(key: Any) -> str:
    """A key as it is, where it cannot be taken for a way of several keys or for more than one line; else quoted."""
    return key if isinstance(key, str) and _PLAIN_KEY.match(key) else _json(key)


def _json(value: Any) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def diff(before: Any, after: Any) -> str:
    """A unified diff of the two, cut to a limit (which it says)."""
    old, new = readable(before), readable(after)
    if len(old) + len(new) > MAX_LINES:
        return f"{len(old)} lines in force, {len(new)} proposed: too many to compare line by line."
    text = "\n".join(difflib.unified_diff(old, new, "in force", "proposed", n=_CONTEXT, lineterm=""))
    if len(text) > MAX_DIFF:
        return text[:MAX_DIFF] + "\n... (cut: the whole is in the document)"
    return text
