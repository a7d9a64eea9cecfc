"""The tables of the API: requests that were answered once, and what is told of a scan while it runs."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

MAX_ACCOUNT = 160
MAX_KEY = 128
MAX_LOCATION = 512
MAX_EVENT_KIND = 32
MAX_EVENT_TEXT = 300


class KeptRequest(Base):
    """A POST with an Idempotency-Key. Without ``digest`` (SHA-256 of the request) it is under way, by ``holder`` until
    ``until``; with it, it was done, and ``status``, ``location`` and ``body`` are its answer (null ``status``: that was
    not kept)."""

    __tablename__ = "kept_requests"
    __table_args__ = (Index("kept_requests_by_time", "created"),)

    account: Mapped[str] = mapped_column(String(MAX_ACCOUNT), primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)
    created: Mapped[int] = mapped_column(Whole)
    holder: Mapped[str] = mapped_column(String(32))
    until: Mapped[int] = mapped_column(Whole)
    digest: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    location: Mapped[str | None] = mapped_column(String(MAX_LOCATION))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class ScanEvent(Base):
    """Something that a worker says of a scan under way; ``seq`` counts from 1, over all attempts."""

    __tablename__ = "scan_events"

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(Whole)
    kind: Mapped[str] = mapped_column(String(MAX_EVENT_KIND))
    text: Mapped[str] = mapped_column(String(MAX_EVENT_TEXT))


class RejudgeRequest(Base):
    """A scan whose recording is to be judged by the rules of now, asked for by ``who`` from ``origin``; ``said`` is a
    sentence that tells what came of it."""

    __tablename__ = "rejudge_requests"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'unchanged', 'changed', 'failed')", name="rejudge_state"),
        Index("rejudge_requests_by_state", "state", "asked"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    asked: Mapped[int] = mapped_column(Whole)
    who: Mapped[str] = mapped_column(String(MAX_ACCOUNT))
    origin: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    said: Mapped[str | None] = mapped_column(Text)
    ended: Mapped[int | None] = mapped_column(Whole)


class BundleRequest(Base):
    """A scan of which a bundle is to be made; ``digest`` is its SHA-256 once it is ``made``, ``said`` why it is not."""

    __tablename__ = "bundle_requests"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'made', 'failed')", name="bundle_state"),
        Index("bundle_requests_by_state", "state", "asked"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    asked: Mapped[int] = mapped_column(Whole)
    who: Mapped[str] = mapped_column(String(MAX_ACCOUNT))
    state: Mapped[str] = mapped_column(String(16))
    said: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(String(64))
    ended: Mapped[int | None] = mapped_column(Whole)
