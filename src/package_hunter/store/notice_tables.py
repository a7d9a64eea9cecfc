"""The tables of what is told to teams: the outbox, where it goes, how each delivery stands, issues that were opened."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import MAX_NAME, Base
from package_hunter.store.types import Id, Whole

MAX_TARGET = 2_048
MAX_ONCE = 200
STATES = ("waiting", "delivered", "dead")


class NoticeRow(Base):
    """Something that happened, written in the transaction in which it did. ``body`` is JSON
    (`notices.outbox.Notice`). Of neither project nor group: about all. ``once`` keeps the same from being told twice;
    ``spread`` is when its deliveries were made (null: it waits for that)."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_unspread", "spread", "time"),)

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    event: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id", ondelete="CASCADE"))
    time: Mapped[int] = mapped_column(Whole)
    body: Mapped[str] = mapped_column(Text)
    once: Mapped[str | None] = mapped_column(String(MAX_ONCE), unique=True)
    spread: Mapped[int | None] = mapped_column(Whole)


class DestinationRow(Base):
    """Where a team wants to be told: ``place`` as `Member.place` has it. ``events`` is JSON; the settings are in
    ``secret``, encrypted (notices/secrecy.py), or (of kinds without a secret) in ``options``, JSON. One that was
    removed stays, for the deliveries that name it."""

    __tablename__ = "notice_destinations"
    __table_args__ = (
        Index(
            "live_destinations",
            "place",
            "name",
            unique=True,
            sqlite_where=text("removed IS NULL"),
            postgresql_where=text("removed IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    place: Mapped[str] = mapped_column(String(32))
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id", ondelete="CASCADE"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(MAX_TARGET))
    options: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)
    removed: Mapped[int | None] = mapped_column(Whole)


class DeliveryRow(Base):
    """A notice on its way to a destination: tried when ``due`` (ms since the epoch), which is put off while it is
    tried and after each failure; ``dead`` once it was tried often enough."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="delivery_state"),
        UniqueConstraint("notice_id", "destination_id", name="one_delivery"),
        Index("deliveries_due", "state", "due"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    notice_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("notices.id", ondelete="CASCADE"))
    destination_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("notice_destinations.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    due: Mapped[int] = mapped_column(Whole)
    tried: Mapped[int | None] = mapped_column(Whole)
    error: Mapped[str | None] = mapped_column(Text)


class ToldRow(Base):
    """What teams were last told of a finding of a project: that it is ``open``, or that it is settled. A finding that
    nobody needed to be told of has none."""

    __tablename__ = "told_findings"

    project_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    open: Mapped[bool]


class IssueRow(Base):
    """The issue that a destination's tracker has for a finding of a project: so there is one, and it can be closed.
    ``remote`` is null while it is being made."""

    __tablename__ = "notice_issues"

    destination_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("notice_destinations.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    remote: Mapped[str | None] = mapped_column(String(128))
    url: Mapped[str | None] = mapped_column(String(MAX_TARGET))
    open: Mapped[bool] = mapped_column(default=True)
    changed: Mapped[int] = mapped_column(Whole)
