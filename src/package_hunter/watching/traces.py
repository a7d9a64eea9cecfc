"""A scan's trace out of what is known of its steps, as spans of our own: names are ours, and so are attributes.

The trace's id is the scan's id without dashes, unless whoever submitted the scan was in a trace already: then the scan
is part of that one. Ids of spans follow from the scan's and the span's place, so that a trace that is told twice is the
same one.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from package_hunter.watching.steps import Steps

Value = str | int | bool
MS = 1_000_000  # nanoseconds


@dataclass(frozen=True, slots=True)
class Told:
    """What a trace says of its scan: words of ours alone (a target's name is its maker's)."""

    id: uuid.UUID
    created: int  # ms since the epoch, as the store has it
    finished: int
    status: str
    verdict: str | None = None
    decision: str | None = None
    manager: str | None = None
    depth: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """``id`` and ``parent``: 64 bits; ``parent`` 0: of nobody."""

    trace: int
    id: int
    parent: int
    name: str
    begin: int
    end: int
    failed: bool = False
    attributes: Mapping[str, Value] = field(default_factory=dict)


def spans(told: Told, steps: Steps) -> Iterator[Span]:
    """All of a scan's: the whole first, then accepted, waited, tried, and each step of a try."""
    trace, above = told.id.int, 0
    accepted = steps.accepted
    if accepted is not None and accepted.parent:
        trace, above = int(accepted.parent[3:35], 16), int(accepted.parent[36:52], 16)
    begin = accepted.begin if accepted is not None else told.created * MS
    last = max([told.finished * MS, steps.stored, *(one.end for one in steps.tries)])
    whole = _id(told.id, "scan")
    yield Span(
        trace, whole, above, "scan", begin, max(begin, last), told.status == "failed", _attributes(told)
    )
    if accepted is not None:
        yield Span(trace, _id(told.id, "accept"), whole, "accept", accepted.begin, accepted.end)
    since = accepted.end if accepted is not None else told.created * MS
    for count, one in enumerate(steps.tries):
        yield Span(trace, _id(told.id, f"wait {count}"), whole, "wait", since, max(since, one.begin))
        tried = _id(told.id, f"try {count}")
        number = {"hunter.try": one.number}
        yield Span(trace, tried, whole, "try", one.begin, one.end, one.failed, number)
        for place, lap in enumerate(one.laps):
            own = _id(told.id, f"step {count} {place}")
            yield Span(trace, own, tried, lap.step, lap.begin, lap.end, lap.failed)
        since = one.end


def _id(scan: uuid.UUID, place: str) -> int:
    """Never 0, which would be none."""
    return int.from_bytes(hashlib.sha256(scan.bytes + place.encode()).digest()[:8]) | 1


def _attributes(told: Told) -> dict[str, Value]:
    said = {
        "id": str(told.id),
        "status": told.status,
        "verdict": told.verdict,
        "decision": told.decision,
        "manager": told.manager,
        "depth": told.depth,
    }
    return {f"hunter.scan.{name}": value[:64] for name, value in said.items() if value}
