"""How deliveries stand: listed, and taken up again where they were given up."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.store import history
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.members import Place
from package_hunter.store.notice_tables import DeliveryRow, DestinationRow, NoticeRow
from package_hunter.store.places import MissingError


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery with what it is of; times in ms since the epoch."""

    id: uuid.UUID
    destination: str
    event: str
    time: int
    notice: uuid.UUID
    state: str
    attempts: int
    due: int
    tried: int | None
    error: str | None


def listed(
    session: Session, place: Place, limit: int, state: str | None = None, delivery: uuid.UUID | None = None
) -> Sequence[Delivery]:
    """Up to ``limit`` deliveries to the destinations of right there, the newest notice first."""
    query = (
        select(DeliveryRow, DestinationRow.name, NoticeRow.event, NoticeRow.time)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .join(NoticeRow, NoticeRow.id == DeliveryRow.notice_id)
        .where(DestinationRow.place == place.key)
        .order_by(NoticeRow.time.desc(), DeliveryRow.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(DeliveryRow.state == state)
    if delivery is not None:
        query = query.where(DeliveryRow.id == delivery)
    return [
        Delivery(
            *(row.id, name, event, time, row.notice_id),
            *(row.state, row.attempts, row.due, row.tried, row.error),
        )
        for row, name, event, time in session.execute(query)
    ]


def retry(
    session: Session, place: Place, by: Actor, delivery: uuid.UUID | None = None, why: str | None = None
) -> int:
    """Have what was given up tried again, all of it or one delivery; how many. MissingError where that one is none, or
    was not given up."""
    query = (
        select(DeliveryRow)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .where(
            DestinationRow.place == place.key, DestinationRow.removed.is_(None), DeliveryRow.state == "dead"
        )
    )
    if delivery is not None:
        query = query.where(DeliveryRow.id == delivery)
    rows = session.scalars(query.with_for_update(of=DeliveryRow)).all()
    if delivery is not None and not rows:
        raise MissingError(
            "There is no such delivery that was given up.", "See package-hunter notices deliveries."
        )
    for row in rows:
        row.state, row.attempts, row.due = "waiting", 0, now_ms()
    if rows:
        project = None if place.project is None else place.project.id
        said = {"place": place.name, "deliveries": len(rows)}
        what = place.name if delivery is None else str(delivery)
        history.record(session, by, Change("delivery.retry", what, project=project, after=said, why=why))
    return len(rows)


def counts(session: Session) -> dict[str, int]:
    """How many deliveries wait, and how many were given up."""
    query = select(DeliveryRow.state, func.count()).where(DeliveryRow.state != "delivered")
    return {state: int(number) for state, number in session.execute(query.group_by(DeliveryRow.state))}
