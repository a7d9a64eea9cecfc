"""The tables of the gate: where scanned trees come from, what the gate answered, what is to be fetched and told."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import MAX_NAME, Base
from package_hunter.store.inventory_tables import MAX_COMMIT, MAX_REF
from package_hunter.store.types import Id, Whole

MAX_URL = 1_024


class ScanOrigin(Base):
    """Which commit a scan is said to be of, and how that is known: the service ``fetched`` the tree itself, the job's
    token names security's ``pinned`` pipeline, or the submitter ``claimed`` it. ``witness`` is JSON: what it is known
    by; ``gaps`` a sentence: what of the tree was not scanned."""

    __tablename__ = "scan_origins"
    __table_args__ = (
        CheckConstraint("known IN ('fetched', 'pinned', 'claimed')", name="origin_known"),
        Index("scan_origins_by_commit", "project_id", "commit"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    commit: Mapped[str] = mapped_column(String(MAX_COMMIT))
    ref: Mapped[str | None] = mapped_column(String(MAX_REF))
    merge_request: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    base: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    known: Mapped[str] = mapped_column(String(16))
    witness: Mapped[str | None] = mapped_column(Text)
    gaps: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)


class GateAnswer(Base):
    """What the gate answered; never changed. ``body`` is canonical JSON (RFC 8785), ``digest`` its SHA-256."""

    __tablename__ = "gate_answers"
    __table_args__ = (
        CheckConstraint("result IN ('pass', 'block', 'review', 'missing')", name="gate_result"),
        Index("gate_answers_by_commit", "project_id", "commit", "created"),
        Index("gate_answers_by_result", "result", "created"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    commit: Mapped[str] = mapped_column(String(MAX_COMMIT))
    result: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(160))
    created: Mapped[int] = mapped_column(Whole)


class Repository(Base):
    """A project's repository at its forge: ``url`` is what git clones, ``external`` the forge's name or number of it,
    ``status_check`` the number of GitLab's external status check."""

    __tablename__ = "repositories"

    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    url: Mapped[str] = mapped_column(String(MAX_URL))
    external: Mapped[str | None] = mapped_column(String(MAX_REF))
    status_check: Mapped[str | None] = mapped_column(String(32))
    created: Mapped[int] = mapped_column(Whole)


class Fetch(Base):
    """A commit that the service is to fetch by itself and scan. ``status``: ``waiting``, ``done`` or ``failed``."""

    __tablename__ = "fetches"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'done', 'failed')", name="fetch_status"),
        Index("fetches_by_status", "status", "due"),
        Index(
            "live_fetches",
            "project_id",
            "commit",
            unique=True,
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    commit: Mapped[str] = mapped_column(String(MAX_COMMIT))
    ref: Mapped[str | None] = mapped_column(String(MAX_REF))
    merge_request: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    base: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    asked_by: Mapped[str] = mapped_column(String(MAX_NAME))
    created: Mapped[int] = mapped_column(Whole)
    due: Mapped[int] = mapped_column(Whole)
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    scan_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("scans.id", ondelete="SET NULL"))


class Watch(Base):
    """A commit whose forge is told how the gate stands, whenever that changes: ``told`` is the digest of the answer
    that it was told last, ``external`` the forge's own id of what we made there."""

    __tablename__ = "watches"
    __table_args__ = (Index("watches_by_time", "due"),)

    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    commit: Mapped[str] = mapped_column(String(MAX_COMMIT), primary_key=True)
    ref: Mapped[str | None] = mapped_column(String(MAX_REF))
    merge_request: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    told: Mapped[str | None] = mapped_column(String(64))
    external: Mapped[str | None] = mapped_column(String(64))
    due: Mapped[int] = mapped_column(Whole)
    until: Mapped[int] = mapped_column(Whole)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
