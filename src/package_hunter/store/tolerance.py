"""Which older versions may still work on newer tables: in an upgrade, those that have not been replaced yet.

A migration that only adds (tables; columns that may be null or have a default; indexes) says so, in its own
transaction: ``tolerances`` gets its revision and the oldest one whose program still works rightly. Where it says
nothing, an older program refuses to start.
"""

from __future__ import annotations

from sqlalchemy import Connection, String, inspect, text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base


class ToleranceRow(Base):
    """What a revision of the tables says of older programs."""

    __tablename__ = "tolerances"

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    oldest: Mapped[str] = mapped_column(String(32))


def tolerated(connection: Connection, own: str) -> bool:
    """Whether a program whose newest revision is ``own`` may work on these tables, which are newer."""
    if not inspect(connection).has_table(ToleranceRow.__tablename__):
        return False
    oldest = connection.scalar(
        text("SELECT oldest FROM tolerances WHERE revision = (SELECT version_num FROM alembic_version)")
    )
    return oldest is not None and oldest <= own
