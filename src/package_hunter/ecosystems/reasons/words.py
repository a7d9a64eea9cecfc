"""A command's own last words: what it printed, in lines that can be shown, and few of them.

Whoever wrote a package chose this text. Nothing of it moves a cursor, hides a line or makes a report long; user names
and passwords in addresses are left out.
"""

from __future__ import annotations

import re

MAX_LINES = 40
MAX_LINE = 400
_LOOKED_AT = 1 << 15  # characters
_MAX_LOOKED_AT = 300  # lines
# CSI, OSC and the two-character escapes (ECMA-48)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[@-Z\\-_])")
_BACKSPACES = re.compile(r"[^\x08\n]\x08")
_PASSWORD = re.compile(r"(?<=://)[^/\s@'\"]{1,300}@")


def lines(output: str) -> list[str]:
    """The lines that a terminal would show at the end: none empty, none long, none overwritten."""
    text = _BACKSPACES.sub("", _ESCAPES.sub("", output[-_LOOKED_AT:]))
    shown = (line.rstrip().rpartition("\r")[2] for line in text.split("\n"))
    return [made for line in shown if (made := _fit(line)).strip()][-_MAX_LOOKED_AT:]


def last_words(output: str) -> tuple[str, ...]:
    """The last 40 of them."""
    return tuple(lines(output)[-MAX_LINES:])


def _fit(line: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in _PASSWORD.sub("…@", line.expandtabs(4)))
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}…"
