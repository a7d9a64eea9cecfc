"""Untrusted TOML, in a time that grows with its length.

Python's own reader takes time that grows with the square of a dotted key's parts (a key of 40,000 characters takes
15 seconds), and fails with three kinds of errors. Keys of people and of package managers have a handful of parts:
a text with a longer run of words with dots between them is refused, wherever that stands.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_PARTS = 100
# Begins only where a word does, never gives a character back, and looks at most 100 characters into what is quoted:
# linear. A key of longer quoted parts is left to the limits of the process that reads.
_PART = (
    r"""(?:(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.){0,100}+"|'[^'\n]{0,100}+')[ \t]*+\.[ \t]*+"""
)
_LONG_KEY = re.compile(rf"(?:{_PART}){{{MAX_PARTS}}}")


class TomlError(ValueError):
    """The text is no TOML, or none that is read here; its text says where and why."""


def loads(text: str) -> dict[str, Any]:
    """The document. Raises TomlError, and nothing else."""
    if hit := _LONG_KEY.search(text):
        line = text.count("\n", 0, hit.start()) + 1
        raise TomlError(f"a key of more than {MAX_PARTS} parts (at line {line})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TomlError("it is nested too deep") from None
    except ValueError as error:  # a number of more digits than Python reads is one, too
        raise TomlError(str(error)) from None
