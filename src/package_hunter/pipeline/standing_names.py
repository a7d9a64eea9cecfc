"""Whether a word stands in the files of a box: a host name that its package brought is no made-up one."""

from __future__ import annotations

import base64
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FILE_BYTES = 16 << 20  # of one file are read
_BYTES = 1 << 30  # of all
_SECONDS = 3.0


def stands(root: Path, words: tuple[str, ...]) -> bool | None:
    """Whether one of ``words`` (lower case) stands in a plain file below ``root``: plain in any letter case,
    backwards, as hexadecimal digits or base64.

    The box still runs and may change what is read; no link is followed. None: there was
    too much to read, so it may.
    """
    plain = [word.encode("ascii", "ignore") for word in words]
    exact = [form for word in plain for form in _encoded(word)]
    ends, left = time.monotonic() + _SECONDS, _BYTES
    for data in _files(root):
        left -= len(data)
        if left < 0 or time.monotonic() > ends:
            return None
        lower = data.lower()
        if any(word in lower or word[::-1] in lower for word in plain) or any(form in data for form in exact):
            return True
    return False


def _encoded(word: bytes) -> Iterator[bytes]:
    yield word.hex().encode()
    for shift in range(3):  # base64's inner characters, wherever its groups of three begin
        text = base64.b64encode(b"\0" * shift + word)
        yield text[-(-shift * 8 // 6) : (shift + len(word)) * 8 // 6]


def _files(root: Path) -> Iterator[bytes]:
    for _, _, names, folder in os.fwalk(root, follow_symlinks=False):
        for name in names:
            with suppress(OSError):
                fd = os.open(name, _FILE, dir_fd=folder)
                with os.fdopen(fd, "rb") as stream:
                    if stat.S_ISREG(os.fstat(fd).st_mode):
                        yield stream.read(_FILE_BYTES)
