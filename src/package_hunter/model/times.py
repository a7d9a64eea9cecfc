"""Times as text: RFC 3339 in UTC with nanoseconds, as Falco prints them. Inside, times are ns since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000_000_000  # ns
_LAST_NS = 253_402_300_799 * SECOND + SECOND - 1  # the end of the year 9999


def rfc3339(ns: int) -> str:
    """``2026-11-23T09:41:07.000000001Z``; what no calendar has is its nearest end."""
    ns = min(max(ns, 0), _LAST_NS)
    seconds, rest = divmod(ns, SECOND)
    return f"{_written(seconds)}.{rest:09d}Z"


# many of a report's times are of the same few seconds
@lru_cache(maxsize=1024)
def _written(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=1024)
def _read(whole: str) -> int:
    return int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())


def from_rfc3339(text: str) -> int:
    """Ns since the epoch of what ``rfc3339`` wrote; ValueError for anything else."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or not (fraction.isdigit() or not fraction):
        raise ValueError(f"not an RFC 3339 time in UTC: {text!r}")
    return _read(whole) * SECOND + int(fraction.ljust(9, "0")[:9] or "0")
