"""Times as crontab(5) has them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.errors import UsageError
from package_hunter.policy.cron import Cron


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cron", "now", "last"),
    [
        ("0 3 * * *", "2026-11-30T02:59:59", "2026-11-29T03:00"),
        ("0 3 * * *", "2026-11-30T03:00", "2026-11-30T03:00"),
        ("*/15 * * * *", "2026-11-30T10:44:59", "2026-11-30T10:30"),
        ("30 2 1,15 * *", "2026-11-30T00:00", "2026-11-15T02:30"),
        ("0 0 * * 1-5", "2026-11-29T12:00", "2026-11-27T00:00"),  # a Sunday; the last was a Friday
        ("0 0 * * 7", "2026-11-30T12:00", "2026-11-29T00:00"),
        ("0 0 * * 0", "2026-11-30T12:00", "2026-11-29T00:00"),
        ("0 0 29 2 *", "2027-01-01T00:00", "2024-02-29T00:00"),
        ("0 0 13 * 5", "2026-11-19T00:00", "2026-11-13T00:00"),
        ("0 0 13 * 5", "2026-11-20T00:00", "2026-11-20T00:00"),  # either day counts
        ("5 8-18/2 * * *", "2026-11-30T17:00", "2026-11-30T16:05"),
        ("10/20 * * * *", "2026-11-30T17:55", "2026-11-30T17:50"),
    ],
)
def test_the_last_time(cron: str, now: str, last: str) -> None:
    assert Cron.of(cron).before(_at(now)) == _at(last)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "@daily",
        "0 0 30 2 *",
        "1,,2 * * * *",
        "-1 * * * *",
        "١ * * * *",
        "*/-1 * * * *",
    ],
)
def test_what_is_none_is_refused(cron: str) -> None:
    with pytest.raises(UsageError):
        Cron.of(cron)


@given(st.integers(0, 59), st.integers(0, 23), st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2035, 1, 1)))
def test_a_daily_time_is_at_most_a_day_ago(minute: int, hour: int, moment: dt.datetime) -> None:
    now = moment.replace(tzinfo=dt.UTC)
    last = Cron.of(f"{minute} {hour} * * *").before(now)
    assert last is not None
    assert dt.timedelta() <= now - last < dt.timedelta(days=1)
    assert (last.hour, last.minute) == (hour, minute)
