"""The tables of who may do what where: groups, projects, accounts, members."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import MAX_NAME, Base
from package_hunter.store.types import Id, Whole

MAX_PATH = 255
MAX_PRINCIPAL = MAX_NAME + len("token:")
EVERYWHERE = "everywhere"


class Group(Base):
    """A folder of projects and groups: ``path`` is its way from the top (``web/shop``)."""

    __tablename__ = "groups"

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(String(MAX_PATH), unique=True)
    created: Mapped[int] = mapped_column(Whole)


class Project(Base):
    """What is scanned together and seen by the same people; ``path`` begins with its group's."""

    __tablename__ = "projects"

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(String(MAX_PATH), unique=True)
    created: Mapped[int] = mapped_column(Whole)


class Account(Base):
    """Somebody, or something, that can be a member: a user or a machine's token. ``name`` is what a verified
    credential says (``ana``, ``token:ci``); ``home`` is the project of scans that name none. One that was removed
    stays, so that a later one of the same name is somebody else. ``person``: the same for all accounts and tokens of
    one human being (store/persons.py). ``rights`` counts the changes of its roles."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("kind IN ('user', 'token')", name="account_kind"),
        Index(
            "live_accounts",
            "name",
            unique=True,
            sqlite_where=text("removed IS NULL"),
            postgresql_where=text("removed IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_PRINCIPAL))
    kind: Mapped[str] = mapped_column(String(16))
    home: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("projects.id"))
    created: Mapped[int] = mapped_column(Whole)
    removed: Mapped[int | None] = mapped_column(Whole)
    person: Mapped[uuid.UUID | None] = mapped_column(Id)
    rights: Mapped[int] = mapped_column(Whole, default=0, server_default="0")


class Member(Base):
    """An account's role in a place: ``everywhere``, or the id (hex) of the group or project that is named too.
    ``source``: the identity provider (id, hex) whose groups gave it; empty: somebody did."""

    __tablename__ = "members"

    account_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id", ondelete="CASCADE"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(
        Id, ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    created: Mapped[int] = mapped_column(Whole)
    source: Mapped[str] = mapped_column(String(32), default="", server_default="")
