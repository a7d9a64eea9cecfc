"""What the programs share. In the box it stands at the head of each of them."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import zlib

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Never

HOME = os.environ.get("HOME") or "/home/dev"


def content(path: str) -> bytes:
    """The bytes of a file of the user's; empty where there is none."""
    try:
        with open(f"{HOME}/{path}", "rb") as file:  # noqa: PTH123 (pathlib takes long to import)
            return file.read(1 << 20)
    except OSError:
        return b""


def kept(path: str, otherwise: Any = None) -> Any:
    """What lies sealed in a file of the user's (package_hunter.model.sealed)."""
    block = max(re.findall(rb"[A-Za-z0-9+/\n]{24,}={0,2}", content(path)), key=len, default=b"")
    try:
        return json.loads(zlib.decompress(base64.b64decode(block)))
    except (ValueError, zlib.error):
        return otherwise


def show(value: Any, indent: int | None = 2) -> None:
    """Print as JSON."""
    print(json.dumps(value, indent=indent))


def fail(text: str, code: int = 1) -> Never:
    """End as the real program does."""
    print(text, file=sys.stderr)
    sys.exit(code)


def option(words: list[str], *names: str) -> str | None:
    """The value of an option, as ``--name VALUE`` or ``--name=VALUE``; None where it is not given."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            if equals:
                return value
            return words[at + 1] if at + 1 < len(words) else ""
    return None


def plain(words: list[str], *valued: str) -> list[str]:
    """The words that are neither options nor values of the options ``valued``."""
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            skip = word in valued
        else:
            found.append(word)
    return found
