"""What all tables are made of."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

MAX_TARGET = 512
MAX_NAME = 128


class Base(DeclarativeBase):
    """All tables."""
