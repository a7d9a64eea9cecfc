"""Figures that only grow and outlive the process that counted: kept in the store, so that all workers of all machines
add to the same. Labels are our own words and projects' priorities, never a text out of a scan."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.store.locks import hold
from package_hunter.store.watching_tables import MAX_LABELS, FigureRow

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0)
"""Of histograms, in seconds; what is more is in ``count`` alone."""
RESULTS, STEPS, WAITS = "results", "steps", "waits"
_LOCK = "figures"


@dataclass(frozen=True, slots=True)
class Figure:
    """``buckets``: how many were at most each of `BOUNDS`, each in one bucket alone; ``seconds``: their sum."""

    labels: tuple[str, ...]
    count: int
    seconds: float
    buckets: tuple[int, ...]


def add(session: Session, name: str, labels: Sequence[str], seconds: float | None = None) -> None:
    """Count one more; with how long it took, where that is asked for. Until the transaction ends, no other counts."""
    hold(session, _LOCK)
    key = json.dumps(list(labels))[:MAX_LABELS]
    row = session.get(FigureRow, (name, key), populate_existing=True)
    if row is None:
        row = FigureRow(name=name, labels=key, count=0, ms=0, buckets="[]")
        session.add(row)
    row.count += 1
    if seconds is not None:
        row.ms += max(0, round(seconds * 1000))
        buckets = list(_buckets(row.buckets))
        place = bisect_left(BOUNDS, seconds)
        if place < len(BOUNDS):
            buckets[place] += 1
        row.buckets = json.dumps(buckets)
    session.flush()


def of(session: Session, name: str) -> list[Figure]:
    """All of one name. A row that says nothing (whoever can write the store's file may have put it there) is left
    out."""
    rows = session.scalars(select(FigureRow).where(FigureRow.name == name).order_by(FigureRow.labels))
    return [figure for row in rows if (figure := _figure(row)) is not None]


def _figure(row: FigureRow) -> Figure | None:
    try:
        labels = json.loads(row.labels)
    except (ValueError, TypeError):
        return None
    if not isinstance(labels, list) or not isinstance(row.count, int) or not isinstance(row.ms, int):
        return None
    return Figure(tuple(map(str, labels)), row.count, row.ms / 1000, _buckets(row.buckets))


def _buckets(text: str) -> tuple[int, ...]:
    """As many as there are bounds, whatever an earlier version, or somebody else, wrote."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError):
        found = []
    said = [n if type(n) is int and n >= 0 else 0 for n in found] if isinstance(found, list) else []
    return tuple((said + [0] * len(BOUNDS))[: len(BOUNDS)])
