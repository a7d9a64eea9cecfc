"""Times as crontab(5) writes them: minute, hour, day of the month, month, day of the week; in UTC.

A field is ``*``, numbers, ranges (``1-5``), lists (``1,15``), each with a step (``*/10``); days of the week are 0 to 7,
Sunday being both. Where both days are restricted, either counts, as cron has it.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from package_hunter.errors import UsageError

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_PART = re.compile(r"(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_MAX_DAYS = 366 * 9  # so far back there is a 29 February, whatever century begins between


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes, hours and days that are meant."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both kinds of days are restricted

    @classmethod
    def of(cls, said: str) -> Cron:
        """What the five fields mean; UsageError."""
        parts = said.split()
        if len(parts) != len(_FIELDS):
            raise UsageError(f"{said[:100]!r} has {len(parts)} fields.", f"Five are needed: {_NAMES}.")
        minutes, hours, days, months, weekdays = (
            _field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)
        )
        made = cls(
            tuple(sorted(minutes)),
            tuple(sorted(hours)),
            days,
            months,
            frozenset(day % 7 for day in weekdays),
            not (parts[2].startswith("*") or parts[4].startswith("*")),
        )
        if made.before(dt.datetime(2028, 3, 1, tzinfo=dt.UTC)) is None:
            raise UsageError(f"{said[:100]!r} is never.", "There is no such day.")
        return made

    def before(self, moment: dt.datetime) -> dt.datetime | None:
        """The last time that is not after ``moment``; None where there is none in nine years."""
        day = moment.date()
        for back in range(_MAX_DAYS):
            that = day - dt.timedelta(days=back)
            if self._on(that):
                found = self._last(that, moment)
                if found is not None:
                    return found
        return None

    def _on(self, day: dt.date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.either_day else in_month and in_week)

    def _last(self, day: dt.date, moment: dt.datetime) -> dt.datetime | None:
        for hour in reversed(self.hours):
            for minute in reversed(self.minutes):
                found = dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC)
                if found <= moment:
                    return found
        return None


_NAMES = ", ".join(name for name, _, _ in _FIELDS)


def _field(said: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in said.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise UsageError(f"{part[:40]!r} is no {name}.", "Write *, 5, 1-5, 1,15 or */10.")
        star, first, last, step = match.groups()
        begin = low if star else int(first)
        end = high if star or (step and not last) else int(last or first)
        if not low <= begin <= end <= high or step in ("0", "00"):
            raise UsageError(f"{part[:40]!r} is no {name}.", f"It goes from {low} to {high}.")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)
