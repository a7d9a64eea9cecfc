"""Bytes of events as text, the way Falco prints them."""

from __future__ import annotations


def text_of(data: bytes) -> str:
    """A string parameter as text, without its end mark; bytes that are no UTF-8 become U+FFFD."""
    if not data or data == b"(NULL)\0":
        return "<NA>"
    end = data.find(0)
    if end >= 0:
        data = data[:end]
    return data.decode("utf-8", "replace")


_DOTS = {c: "." for c in range(256) if not 32 <= c < 127}


def name_of(data: bytes) -> str:
    """A name (path, socket) as text: each byte that is not printable ASCII is one dot, as in Falco."""
    end = data.find(0)
    if end >= 0:
        data = data[:end]
    name = data.decode("latin-1")
    if name.isascii() and name.isprintable():
        return name
    return name.translate(_DOTS)


def line_of(data: bytes) -> str:
    """The same list as one text, with spaces between."""
    return (data[:-1] if data[-1:] == b"\0" else data).decode("utf-8", "replace").replace("\0", " ")


def words_of(data: bytes) -> tuple[str, ...]:
    """A list of strings with an end mark behind each (args, env, cgroups) as text."""
    if not data:
        return ()
    if data[-1] == 0:
        data = data[:-1]
    return tuple(data.decode("utf-8", "replace").split("\0"))
