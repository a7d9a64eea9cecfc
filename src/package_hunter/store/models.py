"""The tables. Times are milliseconds since the epoch; digests are lower-case hex.

A scan's row says how it stands, its report lies beside it (compressed JSON, so that lists stay small), and
while it waits or runs it has a row in ``jobs``, which the local queue owns.
"""

from __future__ import annotations

import uuid

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.access.view import LEGACY
from package_hunter.store import (  # noqa: F401 (one metadata)
    access_tables,
    artefact_tables,
    finding_tables,
    gate_tables,
    history_tables,
    identity_tables,
    inventory_tables,
    notice_tables,
    policy_tables,
    proposal_tables,
    request_tables,
    tolerance,
    view_tables,
    watching_tables,
)
from package_hunter.store.base import MAX_NAME, MAX_TARGET, Base
from package_hunter.store.types import Id, Whole

__all__ = ["MAX_NAME", "MAX_TARGET", "Base"]


_DEAD = text("dead IS NOT NULL")
_WAITS, _RUNS = text("lease IS NULL"), text("lease IS NOT NULL")
_PARTS = (  # of the jobs: what a decision about the next one looks at (queue/fair.py)
    ("waiting_jobs", ("submitter", "project_id", "priority", "enqueued"), _WAITS),
    ("waiting_needs", ("needs",), _WAITS),
    ("waiting_priorities", ("priority",), _WAITS),
    ("running_jobs", ("submitter", "project_id"), _RUNS),
)


class Scan(Base):
    """A scan that was accepted. ``manager`` is what the submitter said (``npm``, ``yarn``, ...), if anything;
    ``ecosystem`` what that is of, or, once it has a report, what was found (null: not known yet); ``reason`` is a
    sentence where it failed, was cancelled or stayed inconclusive. ``dead``: since when it is a dead letter, failed
    through faults of ours."""

    __tablename__ = "scans"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'running', 'finished', 'failed', 'cancelled')", name="scan_status"
        ),
        CheckConstraint("(sha256 IS NULL) <> (purl IS NULL)", name="archive_or_purl"),
        Index("scans_by_time", "created", "id"),
        Index("scans_by_status", "status", "created"),
        Index("scans_by_project", "project_id", "created", "id"),
        Index("scans_by_verdict", "verdict", "created", "id"),
        Index("scans_by_decision", "decision", "created", "id"),
        Index("scans_by_submitter", "submitter", "created", "id"),
        Index("scans_by_ecosystem", "ecosystem", "created", "id"),
        Index("dead_letters", "dead", sqlite_where=_DEAD, postgresql_where=_DEAD),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    target: Mapped[str] = mapped_column(String(MAX_TARGET))
    manager: Mapped[str | None] = mapped_column(String(32))
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    size: Mapped[int | None] = mapped_column(Whole)
    purl: Mapped[str | None] = mapped_column(String(MAX_TARGET))
    submitter: Mapped[str] = mapped_column(String(MAX_NAME))
    created: Mapped[int] = mapped_column(Whole)
    started: Mapped[int | None] = mapped_column(Whole)
    finished: Mapped[int | None] = mapped_column(Whole)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    exit_code: Mapped[int | None] = mapped_column(SmallInteger)  # of the error it failed with (errors.py)
    verdict: Mapped[str | None] = mapped_column(String(16))
    decision: Mapped[str | None] = mapped_column(String(16))
    known_from: Mapped[uuid.UUID | None] = mapped_column(Id)  # the scan whose result this one was given
    fresh: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # an earlier result will not do
    ecosystem: Mapped[str | None] = mapped_column(String(32))
    depth: Mapped[str | None] = mapped_column(String(16))  # model.depth; None: as the server's settings say
    # No foreign key: SQLite adds none to a table that has rows but by copying it, which would take the reports
    # along (ON DELETE CASCADE). Projects are never deleted.
    project_id: Mapped[uuid.UUID] = mapped_column(Id, default=LEGACY, server_default=LEGACY.hex)
    dead: Mapped[int | None] = mapped_column(Whole)


_INSIDE = text("digest IS NULL")


class StoredReport(Base):
    """A scan's report: JSON (schema_version 1), compressed with zlib. ``digest`` names its artefact; null where
    ``body`` holds it (`store/reports.py`)."""

    __tablename__ = "reports"
    __table_args__ = (
        Index(
            "reports_inside",
            "scan_id",
            sqlite_where=text("digest IS NULL"),
            postgresql_where=text("digest IS NULL"),
        ),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str | None] = mapped_column(String(64))


class KnownResult(Base):
    """What a scan's result is known by (queue/reuse.py); it stands once the scan has finished whole."""

    __tablename__ = "known_results"
    __table_args__ = (Index("known_results_by_key", "key"),)

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(64))


class JobRow(Base):
    """A scan that waits (no lease) or runs (leased by ``worker`` until ``lease_until``, by the clock of
    `queue.lease_clock`), and its terms (`queue.base.Terms`; ``needs`` sorted, one space between). ``submitter`` and
    ``project_id`` are its scan's.

    ``work``: a digest of what is to be done, by which the same is known; ``joined``: the scan of the same that this
    one waits for. ``cancel``: why somebody wants the running scan ended. ``handed``: PostgreSQL, the number of
    procrastinate's job. ``killed``: so often a helper of it was killed from outside."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_time", "lease_until", "enqueued"),
        *(Index(name, *of, sqlite_where=part, postgresql_where=part) for name, of, part in _PARTS),
        Index("jobs_by_work", "work"),
        Index("jobs_joined", "joined"),
        Index("jobs_handed", "handed"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    enqueued: Mapped[int] = mapped_column(Whole)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(MAX_NAME))
    lease: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[int | None] = mapped_column(Whole)
    submitter: Mapped[str] = mapped_column(String(MAX_NAME), server_default="")
    project_id: Mapped[uuid.UUID] = mapped_column(Id, default=LEGACY, server_default=LEGACY.hex)
    priority: Mapped[int] = mapped_column(SmallInteger, default=10, server_default="10")
    deadline: Mapped[int | None] = mapped_column(Whole)
    needs: Mapped[str] = mapped_column(Text, default="", server_default="")
    work: Mapped[str | None] = mapped_column(String(64))
    joined: Mapped[uuid.UUID | None] = mapped_column(Id)
    cancel: Mapped[str | None] = mapped_column(Text)
    handed: Mapped[int | None] = mapped_column(Whole)
    killed: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class TurnRow(Base):
    """When an account's scan was last begun: accounts take turns. ``turn`` counts the scans begun, of all."""

    __tablename__ = "turns"

    submitter: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    turn: Mapped[int] = mapped_column(Whole)


class ProjectTurnRow(Base):
    """When an account's scan of a project was last begun, likewise: an account's projects take turns, too."""

    __tablename__ = "project_turns"

    submitter: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    turn: Mapped[int] = mapped_column(Whole)


class ChoreRow(Base):
    """When a chore (`queue.periodic`) was done last, and a sentence where it went wrong."""

    __tablename__ = "chores"

    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    done: Mapped[int] = mapped_column(Whole)
    error: Mapped[str | None] = mapped_column(Text)


class WorkerRow(Base):
    """A worker that was seen: tells a queue that stands still from one that is merely long. ``lacks`` is a
    sentence that says why it cannot scan.

    What it registered (`queue.capabilities`): ``can`` are words with spaces between, ``slots`` scans at the same time;
    all null until it did. ``form`` is that of the program that wrote the row; null: one that knows of no such column.
    ``drain``: since when it is to take no more, ``give_back``: when it gives back what it runs (null: never)."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    seen: Mapped[int] = mapped_column(Whole)
    lacks: Mapped[str | None] = mapped_column(Text)
    form: Mapped[int | None] = mapped_column(SmallInteger, default=1)
    started: Mapped[int | None] = mapped_column(Whole)
    version: Mapped[str | None] = mapped_column(String(64))
    engine: Mapped[str | None] = mapped_column(String(16))
    kernel: Mapped[str | None] = mapped_column(String(128))
    machine: Mapped[str | None] = mapped_column(String(32))
    image: Mapped[str | None] = mapped_column(String(64))
    rules: Mapped[str | None] = mapped_column(String(64))
    can: Mapped[str | None] = mapped_column(Text)
    slots: Mapped[int | None] = mapped_column(SmallInteger)
    drain: Mapped[int | None] = mapped_column(Whole)
    give_back: Mapped[int | None] = mapped_column(Whole)


class User(Base):
    """An account for HTTP Basic; ``password`` is what `passwords.hash_password` makes (or, of older versions,
    scrypt's parameters, salt and hash)."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    password: Mapped[str] = mapped_column(String(256))
    created: Mapped[int] = mapped_column(Whole)


class Token(Base):
    """A bearer token; only its SHA-256 is kept (it is 256 random bits: nothing to guess or stretch). ``expires`` null:
    never. ``permissions`` and ``places`` (JSON; null: all) are what it is limited to, whatever its roles: names of
    permissions, and ids (hex) of groups and projects. ``owner_id``: the user whose it is, whose rights bound it;
    ``delegated``: it has no roles of its own and can what its owner can."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[int] = mapped_column(Whole)
    last_used: Mapped[int | None] = mapped_column(Whole)
    revoked: Mapped[int | None] = mapped_column(Whole)
    expires: Mapped[int | None] = mapped_column(Whole)
    permissions: Mapped[str | None] = mapped_column(Text)
    places: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(Id)
    delegated: Mapped[bool] = mapped_column(default=False, server_default=false())
