"""Untrusted JSON, read as the package managers read it: what they take must not be lost here, or a script would be
hidden by a bracket too many.

Python's own reader refuses deep nesting and whole numbers of more than 4,300 digits, which node takes; and it makes
lone surrogates, which node writes as U+FFFD.
"""

from __future__ import annotations

import json
import re
from typing import Any

_KEPT_DEPTH = 64  # what lies deeper is read over and left out
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_STRING = r'"(?:[^"\\\x00-\x1f]|\\.)*+"'
_TOKEN = re.compile(rf"[ \t\n\r]*+(?:[{{}}\[\],:]|{_STRING}|{_NUMBER}|true|false|null)")
_END = re.compile(r"[ \t\n\r]*+\Z")
_HALF = r"[89aAbB][0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rf"\\(?:u[dD]{_HALF}\\u[dD][c-fC-F][0-9a-fA-F]{{2}}|(u[dD][89a-fA-F][0-9a-fA-F]{{2}})|.)", re.S
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(data: bytes) -> Any:
    """The value: of numbers only the size counts, of nesting 64 levels. Bytes that are no UTF-8 are U+FFFD, and so
    are lone surrogates. Raises ValueError for what is no JSON, and nothing else."""
    text = data.decode("utf-8-sig", "replace")
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda hit: "\\ufffd" if hit[1] else hit[0], text)
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError):
        return _Deep(text).read()


def _refuse(word: str) -> Any:
    raise json.JSONDecodeError(f"{word} is no value of JSON", word, 0)


class _Deep:
    """Reads without recursion; each open container with the key that waits for its value."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._open: list[Any] = []
        self._keys: list[str] = []
        self._root: Any = None
        self._fresh = False  # nothing was read yet of the container that is open

    def read(self) -> Any:
        self._value(self._next())
        while self._open:
            if isinstance(self._open[-1], dict):
                self._member()
            else:
                self._item()
        if not _END.match(self._text, self._at):
            raise self._wrong()
        return self._root

    def _member(self) -> None:
        """A member of the open object, or its end."""
        token = self._after_comma("}")
        if token == "}":
            self._close()
            return
        if not token.startswith('"') or self._next() != ":":
            raise self._wrong()
        self._keys[-1] = json.loads(token)
        self._value(self._next())

    def _item(self) -> None:
        token = self._after_comma("]")
        if token == "]":
            self._close()
        else:
            self._value(token)

    def _after_comma(self, end: str) -> str:
        token = self._next()
        if self._fresh or token == end:
            return token
        if token != ",":
            raise self._wrong()
        token = self._next()
        if token == end:
            raise self._wrong()
        return token

    def _value(self, token: str) -> None:
        if token in "{[":
            fresh: Any = {} if token == "{" else []
            self._put(fresh)
            self._open.append(fresh)
            self._keys.append("")
            self._fresh = True
            return
        self._fresh = False
        if token in "}],:":
            raise self._wrong()
        self._put(_scalar(token))

    def _close(self) -> None:
        self._open.pop()
        self._keys.pop()
        self._fresh = False

    def _put(self, value: Any) -> None:
        if not self._open:
            self._root = value
        elif len(self._open) <= _KEPT_DEPTH:
            where = self._open[-1]
            if isinstance(where, dict):
                where[self._keys[-1]] = value
            else:
                where.append(value)

    def _next(self) -> str:
        hit = _TOKEN.match(self._text, self._at)
        if hit is None:
            raise self._wrong()
        self._at = hit.end()
        return hit[0].lstrip(" \t\n\r")

    def _wrong(self) -> ValueError:
        return json.JSONDecodeError("no sound JSON", self._text, self._at)


def _scalar(token: str) -> Any:
    if token[0] in "-0123456789":
        return float(token)
    return json.loads(token)
