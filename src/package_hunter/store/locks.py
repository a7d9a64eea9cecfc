"""Locks that a transaction holds until its end, by a name."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

FINDINGS = "findings"
"""Held by whoever changes findings, their states or policies: results, people, clock."""

KEEPING = "keeping"
"""Held by whoever deletes scans, or says that some are not to be deleted."""


def hold(session: Session, key: str) -> None:
    """Hold the writers that hold the same ``key`` back until this transaction ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
