"""What refers to artefacts (`storage`), what is about to, and what is being removed; how long scans are kept.

Rows say all that is known of which artefacts are wanted: what has neither a reference nor a claim is collected.
"""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

MAX_FILE_NAME = 1_024
_ACTOR = 160
_KIND, _DIGEST = 16, 64


class ArtefactRef(Base):
    """A scan has this artefact. ``size`` in bytes of the content; ``name`` for people: a recording's file name, a
    dropped file's path in the box."""

    __tablename__ = "artefact_refs"
    __table_args__ = (
        Index("artefact_refs_by_name", "kind", "digest"),
        Index("artefact_refs_by_scan", "scan_id", "kind"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    scan_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("scans.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(_KIND))
    digest: Mapped[str] = mapped_column(String(_DIGEST))
    size: Mapped[int] = mapped_column(Whole)
    name: Mapped[str] = mapped_column(String(MAX_FILE_NAME))
    created: Mapped[int] = mapped_column(Whole)


class ArtefactClaim(Base):
    """Somebody (``holder``: a scan's id, or any) stores this artefact and will refer to it, ``until`` then."""

    __tablename__ = "artefact_claims"
    __table_args__ = (Index("artefact_claims_by_name", "kind", "digest"),)

    holder: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(_KIND), primary_key=True)
    digest: Mapped[str] = mapped_column(String(_DIGEST), primary_key=True)
    until: Mapped[int] = mapped_column(Whole)


class ArtefactDoomed(Base):
    """This artefact is being removed, ``since`` then: nobody may claim it before that is done."""

    __tablename__ = "artefacts_doomed"

    kind: Mapped[str] = mapped_column(String(_KIND), primary_key=True)
    digest: Mapped[str] = mapped_column(String(_DIGEST), primary_key=True)
    since: Mapped[int] = mapped_column(Whole)


class HoldRow(Base):
    """A legal hold: a scan, or all of a project, is not deleted, until somebody lifts it. ``number`` is what people
    call it by."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("(scan_id IS NULL) <> (project_id IS NULL)", name="scan_or_project"),
        Index("holds_by_scan", "scan_id"),
        Index("holds_by_project", "project_id"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    scan_id: Mapped[uuid.UUID | None] = mapped_column(Id)  # no foreign key: what it names cannot be deleted
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String(_ACTOR))
    created: Mapped[int] = mapped_column(Whole)


class RetentionRow(Base):
    """How long the scans of a place are kept (``place`` as `Member.place`); null: as the place above it says, 0: no
    limit. ``days`` since a scan ended, ``scans`` the newest of each project, ``bytes`` of each project's artefacts."""

    __tablename__ = "retention"

    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    days: Mapped[int | None] = mapped_column(Whole)
    scans: Mapped[int | None] = mapped_column(Whole)
    bytes: Mapped[int | None] = mapped_column(Whole)
