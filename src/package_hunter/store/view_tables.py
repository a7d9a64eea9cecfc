"""The table of the lists that people keep."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

MAX_VIEW_NAME = 80
MAX_VIEW_QUERY = 2_000


class SavedView(Base):
    """Filters of the list of findings under a name, one account's own. ``query`` is that of the list's address."""

    __tablename__ = "saved_views"

    account_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_VIEW_NAME), primary_key=True)
    query: Mapped[str] = mapped_column(String(MAX_VIEW_QUERY))
    created: Mapped[int] = mapped_column(Whole)
