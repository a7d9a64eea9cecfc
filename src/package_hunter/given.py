"""Files that a user names on a command line: opened without waiting for what never comes.

A named pipe waits for its other end, a device may have no end at all, or does something by being opened. None of them
is what was meant: NotAFileError says so, an OSError like any other that opening has. What the shell has opened already
(``/dev/stdin``, ``<(...)`` as ``/dev/fd/63``) has its other end, and may be read where a stream will do.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from io import BufferedReader
from pathlib import Path

_OPENED = re.compile(r"/dev/(stdin|fd/[0-9]+)|/proc/self/fd/[0-9]+")
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFileError(OSError):
    """It is something else; ``strerror`` says what."""


def open_file(path: Path, *, stream: bool = False) -> BufferedReader:
    """A file, open for reading. OSError: there is none, it may not be read; NotAFileError: it is none. ``stream``: it
    is read once from its beginning, so what the shell has opened will do."""
    if stream and _OPENED.fullmatch(str(path)):
        return path.open("rb")
    check(path)
    fd = os.open(path, _FLAGS)
    try:
        _check(path, os.fstat(fd).st_mode)  # it may be another since
        return os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def read(path: Path, most: int) -> bytes:
    """At most so many bytes of it, as a stream; OSError as above."""
    with open_file(path, stream=True) as file:
        return file.read(most)


def check(path: Path) -> None:
    """OSError, as `open_file` has it, before anything is opened."""
    _check(path, path.stat().st_mode)


def _check(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        what = next((words for test, words in _KINDS if test(mode)), "something else")
        raise NotAFileError(errno.EINVAL, f"it is {what}, and not a file", str(path))
