"""Field transformers: ``tolower(proc.name)``, ``b64(…)``, ``basename(…)``, ``len(…)``, ``join``, ``concat``,
``getopt``. What each does to which type: falcosecurity/libs userspace/libsinsp/sinsp_filter_transformers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from package_hunter.model.fields import Extract
from package_hunter.rules.ast import Operand, Transformation


def _b64(value: Any) -> Any:
    raw = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
    raw = raw.rstrip(b"=")
    try:
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if isinstance(value, bytes) else data.split(b"\0")[0].decode("latin-1")


def _case(method: str) -> Callable[[Any], Any]:
    return lambda value: getattr(value, method)()


def _each(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        if value is None:
            return None
        return tuple(map(function, value)) if isinstance(value, tuple) else function(value)

    return change


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _join(separator: Any, values: Any) -> Any:
    if separator is None or values is None or any(v is None for v in values):
        return None
    return _text(separator).join(map(_text, values))


def _concat(*values: Any) -> Any:
    return None if any(v is None for v in values) else "".join(map(_text, values))


def getopt(words: Sequence[str] | None, options: str | None) -> list[tuple[str, str | None]] | None:
    """The short options of a command line as getopt(3) reads them: (letter or ``?``, its value)."""
    if words is None or options is None:
        return None
    letters = options.lstrip(":")
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(words) and words[at] != "--":
        word = words[at]
        at += 1
        if len(word) > 2 and word.startswith("--"):
            continue
        if len(word) < 2 or word[0] != "-":
            break
        at = _cluster(word, words, at, letters, found)
    return found


def _cluster(
    word: str, words: Sequence[str], at: int, letters: str, found: list[tuple[str, str | None]]
) -> int:
    for i in range(1, len(word)):
        letter = word[i]
        where = letters.find(letter)
        if letter == ":" or where < 0:
            found.append(("?", None))
        elif letters[where + 1 : where + 2] != ":":
            found.append((letter, None))
        elif i + 1 < len(word):
            found.append((letter, word[i + 1 :]))
            break
        elif at < len(words):
            found.append((letter, words[at]))
            return at + 1
        else:
            found.append((letter, ""))
            break
    return at


def _getopt(arg: str | None) -> Callable[..., Any]:
    def read(words: Any, options: Any) -> Any:
        found = getopt(words, options)
        if found is None:
            return None
        if arg is None:
            return tuple(
                part for letter, value in found for part in ((letter,) if value is None else (letter, value))
            )
        mine = [letter if value is None else value for letter, value in found if letter == arg]
        return mine[-1] if mine else None

    return read


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tolower": _each(_case("lower")),
    "toupper": _each(_case("upper")),
    "b64": _each(_b64),
    "basename": _each(lambda v: v.rsplit("/", 1)[-1]),
    "len": lambda v: None if v is None else len(v),
    "join": _join,
    "concat": _concat,
}


def apply(operand: Transformation, getter: Callable[[Operand], Extract]) -> Extract:
    """The function that gives a transformer's value of an event."""
    function = _getopt(operand.arg) if operand.function == "getopt" else FUNCTIONS[operand.function]
    parts = [_part(argument, getter) for argument in operand.arguments]
    if len(parts) == 1:
        only = parts[0]
        return lambda event: function(only(event))
    return lambda event: function(*(part(event) for part in parts))


def _part(argument: Any, getter: Callable[[Operand], Extract]) -> Extract:
    if isinstance(argument, str):
        return lambda event: argument
    if isinstance(argument, tuple):
        items = [_part(a, getter) for a in argument]
        return lambda event: tuple(item(event) for item in items)
    return getter(argument)
