"""Findings as they are stored: `policy.facts.Facts` and `triage.behaviour.Behaviour` to text and back."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

from package_hunter.policy.facts import Facts
from package_hunter.store.finding_tables import FindingRow, OccurrenceRow
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.decide import Seen

_LISTS = ("rules", "paths", "hosts")
_DAY_MS = 86_400_000


def facts_json(facts: Facts) -> str:
    """As it is stored: without its age, which changes."""
    data = asdict(facts)
    del data["days"]
    return json.dumps(data, separators=(",", ":"))


def _facts(text: str, days: int) -> Facts:
    data: dict[str, Any] = json.loads(text)
    data.update({key: tuple(data[key]) for key in _LISTS})
    return Facts(**data, days=days)


def days_since(first_seen: int, day: dt.date) -> int:
    """Whole days from a time (ms since the epoch) to a day."""
    return max(0, (day - dt.datetime.fromtimestamp(first_seen / 1000, dt.UTC).date()).days)


def facts_of(finding: FindingRow, day: dt.date) -> Facts:
    """Of a finding as it was last seen."""
    return _facts(finding.facts, days_since(finding.first_seen, day))


def seen_in(occurrence: OccurrenceRow, first_seen: int, day: dt.date) -> Seen:
    """A finding as a scan had it, of the age that it has by now."""
    return Seen(
        _facts(occurrence.facts, days_since(first_seen, day)), Behaviour.from_json(occurrence.behaviour)
    )
