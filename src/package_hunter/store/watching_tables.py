"""The tables of how the server is watched: figures that last, what is known of a scan's steps, standing drills."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import MAX_NAME, Base
from package_hunter.store.types import Id, Whole

MAX_LABELS = 200


class FigureRow(Base):
    """A figure that only grows, of all processes and machines together. ``labels``: JSON list of the label's values;
    ``buckets``: JSON list, how many of ``count`` were at most each bound (watching/figures.py); ``ms``: their sum."""

    __tablename__ = "figures"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    labels: Mapped[str] = mapped_column(String(MAX_LABELS), primary_key=True)
    count: Mapped[int] = mapped_column(Whole)
    ms: Mapped[int] = mapped_column(Whole)
    buckets: Mapped[str] = mapped_column(Text)


class StepsRow(Base):
    """What is known of the steps of a scan until it is counted and told: ``body`` as `watching.steps` writes it.
    ``counted``: it is in the figures; ``due``: a trace of it is to be sent from then on (null: none, or sent)."""

    __tablename__ = "scan_steps"
    __table_args__ = (
        Index(
            "steps_due", "due", sqlite_where=text("due IS NOT NULL"), postgresql_where=text("due IS NOT NULL")
        ),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    counted: Mapped[bool] = mapped_column(default=False, server_default=false())
    due: Mapped[int | None] = mapped_column(Whole)
    body: Mapped[str | None] = mapped_column(Text)


class DrillRow(Base):
    """A standing drill. ``deadline``: until when the gate must block; ``blocked``: when it did; ``decided``: when a
    person set a state of the finding; ``said``: why it failed, a sentence."""

    __tablename__ = "drills"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'proven', 'failed')", name="drill_state"),
        Index("drills_by_time", "begun"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    begun: Mapped[int] = mapped_column(Whole)
    deadline: Mapped[int] = mapped_column(Whole)
    by: Mapped[str] = mapped_column(String(MAX_NAME))
    scan_id: Mapped[uuid.UUID] = mapped_column(Id, index=True)
    commit: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    blocked: Mapped[int | None] = mapped_column(Whole)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    decided: Mapped[int | None] = mapped_column(Whole)
    decided_by: Mapped[str | None] = mapped_column(String(160))
    said: Mapped[str | None] = mapped_column(Text)
