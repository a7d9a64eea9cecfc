"""The tables of the history: what was changed, and the chain of seals over it. Nothing in them is ever changed."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only an INTEGER by itself


class HistoryRow(Base):
    """A change, written in the change's own transaction. ``before`` and ``after`` are JSON, null where there is
    nothing; ``project_id`` where it is about one."""

    __tablename__ = "history"
    __table_args__ = (Index("history_by_time", "time"), Index("history_by_object", "object"))

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    time: Mapped[int] = mapped_column(Whole)
    who: Mapped[str] = mapped_column(String(160))
    origin: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(String(512))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class SealRow(Base):
    """An entry's place in the chain: ``digest`` is of the entry, its position and the digest before it;
    ``signature`` (base64, Ed25519) is of the digest, by the key that ``key`` names."""

    __tablename__ = "history_seals"

    position: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(_NUMBER, unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(88))
    key: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[int] = mapped_column(Whole)


class UnsealedRow(Base):
    """An entry that waits for its seal: so the sealer, and whoever watches it, need not look through all. It is a
    help and no proof: verification finds an entry without a seal by itself."""

    __tablename__ = "history_unsealed"

    entry_id: Mapped[int] = mapped_column(_NUMBER, ForeignKey("history.id"), primary_key=True)
    time: Mapped[int] = mapped_column(Whole)
