"""Scans that somebody wants judged again by the rules of now: asked for over the API, done by a chore, which may read
recordings."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.inventory.rejudge import Rejudge
from package_hunter.queue import recordings
from package_hunter.queue.acts import StandsOtherwiseError
from package_hunter.store import history
from package_hunter.store.database import Store, now_ms
from package_hunter.store.history import Change
from package_hunter.store.models import Scan
from package_hunter.store.request_tables import MAX_ACCOUNT, RejudgeRequest

WAITING, UNCHANGED, CHANGED, FAILED = "waiting", "unchanged", "changed", "failed"


def ask(session: Session, by: Actor, scan: Scan) -> RejudgeRequest:
    """Have a scan judged again; who asks while another waits gets that one. StandsOtherwiseError: of what?"""
    if not recordings.sizes(session, [scan.id]):
        advice = "PACKAGE_HUNTER_RECORDINGS_BYTES says how many are kept; scan it again."
        raise StandsOtherwiseError("No recording of this scan is kept.", advice, not_kept=True)
    row = session.get(RejudgeRequest, scan.id)
    if row is not None and row.state == WAITING:
        return row
    if row is None:
        row = RejudgeRequest(scan_id=scan.id)
        session.add(row)
    row.asked, row.state, row.said, row.ended = now_ms(), WAITING, None, None
    row.who, row.origin = by.name[:MAX_ACCOUNT], by.origin[:64]
    session.flush()
    history.record(session, by, Change("scan.rejudge-ask", str(scan.id), project=scan.project_id))
    return row


def get(session: Session, scan_id: uuid.UUID) -> RejudgeRequest | None:
    """What was asked last of this scan, which the caller may see."""
    return session.get(RejudgeRequest, scan_id)


def step(store: Store, settings: Settings) -> bool:
    """Judge the one that waits longest; True where there was one. StoreError: it is tried again later."""
    query = select(RejudgeRequest).where(RejudgeRequest.state == WAITING)
    with store.read() as session:
        row = session.scalar(query.order_by(RejudgeRequest.asked).limit(1))
    if row is None:
        return False
    before = _verdict(store, row.scan_id)
    done = Rejudge(store, settings, Actor(row.who, row.origin)).one(row.scan_id)
    if done.unread or not done.judged:
        state, said = FAILED, "Its recording is not kept any more, or cannot be read."
    elif done.changed:
        after = _verdict(store, row.scan_id)
        state, said = CHANGED, f"Rules that were not there then saw more. Before: {before}; now: {after}."
    else:
        state, said = UNCHANGED, f"The rules of now see no more than those of then: still {before}."
    with store.write() as session:
        found = session.get(RejudgeRequest, row.scan_id)
        if found is not None:  # else its scan was deleted
            found.state, found.said, found.ended = state, said, now_ms()
    return True


def _verdict(store: Store, scan_id: uuid.UUID) -> str:
    """How a scan is judged, for people."""
    with store.read() as session:
        scan = session.get(Scan, scan_id)
        if scan is None or scan.verdict is None:
            return "no verdict"
        return f"{scan.verdict.replace('_', ' ')} (decision: {scan.decision})"
