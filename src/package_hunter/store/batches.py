"""Long lists, asked for in several statements: databases limit what one may hold (SQLite: 32,766 values)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 400


def batches(items: Collection[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """All of them in order, so many at a time."""
    rest = list(items)
    for begin in range(0, len(rest), size):
        yield rest[begin : begin + size]
