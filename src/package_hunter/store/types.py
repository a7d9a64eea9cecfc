"""Columns that survive what is not theirs in the file: SQLite takes any value for any column, and whoever can write
there may have put one. One such row must not keep all others from being read.

What cannot be read is None, so that a row without its key is none at all (the ORM's own rule), and is logged once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import BigInteger, Dialect, Uuid

log = structlog.get_logger(__name__)

_MAX_TOLD = 1_000
_told: set[str] = set()


def _malformed(kind: str, value: object) -> None:
    shown = repr(value)[:80]
    if shown not in _told and len(_told) < _MAX_TOLD:
        _told.add(shown)
        log.error("malformed row in the store", wanted=kind, found=shown)


class Id(Uuid[uuid.UUID]):
    """A scan's id."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], uuid.UUID | None] | None:
        """See TypeEngine."""
        inner: Callable[[Any], uuid.UUID] | None = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        if inner is None:
            return None

        def read(value: Any) -> uuid.UUID | None:
            try:
                return inner(value)
            except (ValueError, TypeError, AttributeError):
                _malformed("an id", value)
                return None

        return read


class Whole(BigInteger):
    """A whole number."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None]:
        """See TypeEngine."""

        def read(value: Any) -> int | None:
            if value is None or isinstance(value, int):
                return value
            _malformed("a whole number", value)
            return None

        return read
