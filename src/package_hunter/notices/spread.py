"""From notices to deliveries: who is to be told of each."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.notices.destinations import events_of
from package_hunter.notices.outbox import Event
from package_hunter.store.access_tables import EVERYWHERE, Group, Project
from package_hunter.store.database import now_ms
from package_hunter.store.notice_tables import DeliveryRow, DestinationRow, NoticeRow
from package_hunter.store.places import above

_BATCH = 200


def waits(session: Session) -> bool:
    """Whether there is a notice whose deliveries are not made yet."""
    return session.scalar(select(NoticeRow.id).where(NoticeRow.spread.is_(None)).limit(1)) is not None


def spread(session: Session) -> int:
    """Make the deliveries of the oldest notices that have none yet; of how many."""
    query = select(NoticeRow).where(NoticeRow.spread.is_(None)).order_by(NoticeRow.time).limit(_BATCH)
    notices = session.scalars(query.with_for_update(skip_locked=True)).all()
    if not notices:
        return 0
    there = session.scalars(select(DestinationRow).where(DestinationRow.removed.is_(None))).all()
    places = _Places(session)
    for notice in notices:
        concerned = places.concerned(notice)
        for row in there:
            if row.place in concerned and notice.event in events_of(row):
                session.add(_delivery(notice, row))
        notice.spread = now_ms()
    session.flush()
    return len(notices)


def _delivery(notice: NoticeRow, row: DestinationRow) -> DeliveryRow:
    made = DeliveryRow(id=uuid.uuid4(), notice_id=notice.id, destination_id=row.id, state="waiting")
    made.attempts, made.due = 0, now_ms()
    return made


class _Places:
    """Paths and ids of all places."""

    def __init__(self, session: Session) -> None:
        self._groups = {path: key for key, path in session.execute(select(Group.id, Group.path))}
        self._projects = {path: key for key, path in session.execute(select(Project.id, Project.path))}
        self._paths = {key: path for path, key in (*self._groups.items(), *self._projects.items())}

    def concerned(self, notice: NoticeRow) -> set[str]:
        """Keys (`Member.place`) of the places whose destinations are told: its own, those above it, and all below it
        where the event says so."""
        own = notice.project_id or notice.group_id
        found = {EVERYWHERE}
        path = "" if own is None else self._paths.get(own, "")
        if own is not None:
            found.add(own.hex)
            found.update(self._groups[up].hex for up in above(path) if up in self._groups)
        if notice.project_id is None and _tells_those_below(notice.event):
            found.update(key.hex for key in self._below(path if own is not None else None))
        return found

    def _below(self, path: str | None) -> Iterable[uuid.UUID]:
        """Ids of what lies below a path; None: of all."""
        for there, key in (*self._groups.items(), *self._projects.items()):
            if path is None or (path and there.startswith(f"{path}/")):
                yield key


def _tells_those_below(event: str) -> bool:
    return event in Event._value2member_map_ and Event(event).tells_those_below
