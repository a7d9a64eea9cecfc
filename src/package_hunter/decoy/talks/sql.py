"""SQL as far as a server that keeps no data must read it: which statements there are, and what each begins with."""

from __future__ import annotations

import re

_MOST = 256  # statements of one text
_TOKENS = re.compile(
    rb"""'(?:[^'\\]|\\.|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\$(\w*)\$.*?(?:\$\1\$|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)"""
    rb"""|[;]|[^'"`$;/-]+|.""",
    re.S,
)
_SPACE = re.compile(rb"\s+")


def statements(text: bytes) -> list[bytes]:
    """The statements of ``text`` without comments, at most 256; a semicolon in quotes ends none."""
    found: list[bytes] = []
    words: list[bytes] = []
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token == b";":
            found.append(b"".join(words).strip())
            words = []
        elif token.startswith((b"--", b"/*")):
            words.append(b" ")
        else:
            words.append(token)
    found.append(b"".join(words).strip())
    return [one for one in found if one][:_MOST]


def bare(statement: bytes) -> str:
    """Its first 4,096 bytes in upper case, one space between words."""
    return _SPACE.sub(b" ", statement[:4096]).strip().upper().decode("latin-1")


def placeholders(text: bytes) -> int:
    """Question marks outside of quotes and comments, at most 65,535."""
    tokens = (match[0] for match in _TOKENS.finditer(text))
    marks = sum(
        token.count(b"?") for token in tokens if token[:1] not in (b"'", b'"', b"`", b"/", b"-", b"$")
    )
    return min(marks, 65_535)
