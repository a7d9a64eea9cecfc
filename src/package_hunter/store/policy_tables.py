"""The tables of policies by scope, and of what is scanned at set times."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole


class PolicyRow(Base):
    """A version of a scope's policy: the highest counts. Rows are added, never changed. ``place`` as `Member.place`;
    ``document`` is canonical JSON (RFC 8785), null where the scope has none from then on, ``digest`` its SHA-256;
    ``proposal`` which approved proposal it came by, null: nobody reviewed it."""

    __tablename__ = "policies"

    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Whole, primary_key=True)
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id"))
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str | None] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String(160))
    time: Mapped[int] = mapped_column(Whole)
    why: Mapped[str | None] = mapped_column(Text)
    proposal: Mapped[str | None] = mapped_column(String(64))


class ScheduleRow(Base):
    """When a schedule was last served in a project: ``due`` is the time that it was for, ``said`` what came of it."""

    __tablename__ = "schedule_runs"

    key: Mapped[str] = mapped_column(
        String(64), primary_key=True
    )  # of the policy's place, and the schedule's name
    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    due: Mapped[int] = mapped_column(Whole)
    ran: Mapped[int] = mapped_column(Whole)
    submitted: Mapped[int] = mapped_column(Whole)
    said: Mapped[str] = mapped_column(Text)
