"""Where text is made safe: every text that enters the model is well formed, that is, it can be written as UTF-8.

What is not so comes in two ways: a lone surrogate out of JSON (``"\\ud800"``), and a byte of a name that is no
UTF-8, which Python reads as a lone surrogate too. Each helper process (planner, event reader, gateway, unpacker)
hands over its result as JSON, and there, and where a report is read back, it is made well formed. Characters that
are well formed but not to be shown (controls, reordering, NUL) stay: it is for each writer to show them as escapes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_NO_TEXT = frozenset({int, float, bool, bytes, type(None)})

_NEEDS = re.compile(r"[^\x20-\x7e]")
# Unicode's Default_Ignorable_Code_Point that Python calls printable, and the empty Braille cell: nobody sees them
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def well_formed(text: str) -> str:
    """The text, with what cannot be written as UTF-8 as ``\\xNN`` (the bytes that it stands for)."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _bytes_of(text).decode("utf-8", "backslashreplace")
    return text


def shortened(text: str, most: int = 200) -> str:
    """A name or an address for a sentence: its begin, and how long it is, where it has more than ``most``
    characters (a name that nobody can read through says no more than that)."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def visible(text: str, keep: str = "") -> str:
    """The text with what nobody sees, or what moves other text (controls, reordering, zero width, odd spaces), as
    escapes; the characters of ``keep`` stay."""
    return _NEEDS.sub(lambda hit: hit[0] if hit[0] in keep else _escaped(hit[0]), text)


def _escaped(char: str) -> str:
    if char.isprintable() and not _UNSEEN.match(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _bytes_of(text: str) -> bytes:
    return b"".join(
        bytes([ord(c) - 0xDC00]) if "\udc80" <= c <= "\udcff" else c.encode("utf-8", "surrogatepass")
        for c in text
    )


def all_well_formed(value: T) -> T:
    """A value of the model, or of JSON, with every text in it well formed; itself where nothing is to be
    changed."""
    made: Any = _made(value)
    return made  # type: ignore[no-any-return]


def _made(value: Any) -> Any:
    kind = type(value)
    if kind in _NO_TEXT or not value:
        return value
    if hasattr(kind, "__dataclass_fields__"):  # before what is asked of an abstract class: that is slow
        return _dataclass(value)
    if isinstance(value, str):
        fixed = well_formed(value)
        return value if fixed == value else fixed
    if isinstance(value, Mapping):
        pairs = {_made(k): _made(v) for k, v in value.items()}
        same = len(pairs) == len(value) and all(k in value and value[k] is v for k, v in pairs.items())
        return value if same else pairs
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_made(v) for v in value]
        if all(a is b for a, b in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


@cache
def _fields_of(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)


def _dataclass(value: Any) -> Any:
    changed = {}
    form: Any = type(value)
    for name in _fields_of(form):
        old = getattr(value, name)
        kind = type(old)
        if kind in _NO_TEXT or not old or (kind is str and old.isascii()):
            continue  # most of what there is: a report may have a hundred thousand processes
        new = _made(old)
        if new is not old:
            changed[name] = new
    return dataclasses.replace(value, **changed) if changed else value
