"""The tables of changes that need two people: proposals, their edits, their approvals; and what was applied by them.

Who may approve what is not only asked by the code: triggers of the database refuse whatever breaks the rules
(migration 0009), so that a fault of ours, or another program, approves nothing. *Persons* are compared, not accounts:
the view ``account_persons`` says who stands behind an account.
"""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, column, table
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.access_tables import MAX_PRINCIPAL
from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only an INTEGER by itself

ACCOUNT_PERSONS = table("account_persons", column("account_id", Id), column("person_id", Id))
"""Who stands behind each account, removed ones too (a view of migration 0009)."""


class Proposal(Base):
    """A change that somebody wants. ``place`` as `Member.place` has it; ``document`` is canonical JSON (RFC 8785),
    ``content_hash`` its SHA-256; ``base_hash`` is that of what was in force when it was made. ``needed``: approvals.
    ``way``: how it came to be applied (``approved``, ``break-glass``, ``alone``)."""

    __tablename__ = "proposals"
    __table_args__ = (Index("proposals_by_state", "state", "number"),)

    number: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    place: Mapped[str] = mapped_column(String(32))
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id"), index=True)
    subject: Mapped[str] = mapped_column(String(512))
    author_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("accounts.id"))
    author: Mapped[str] = mapped_column(String(MAX_PRINCIPAL))
    reason: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    base_hash: Mapped[str] = mapped_column(String(64))
    diff: Mapped[str] = mapped_column(Text)
    impact: Mapped[str] = mapped_column(Text)  # JSON
    version: Mapped[int] = mapped_column(Integer)
    needed: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    created: Mapped[int] = mapped_column(Whole)
    expires: Mapped[int] = mapped_column(Whole)  # from then on it is expired
    apply_at: Mapped[int | None] = mapped_column(Whole)
    way: Mapped[str | None] = mapped_column(String(16))
    applied: Mapped[int | None] = mapped_column(Whole)
    applied_by_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("accounts.id"))
    emergency: Mapped[str | None] = mapped_column(String(32))
    emergency_text: Mapped[str | None] = mapped_column(Text)
    decided: Mapped[int | None] = mapped_column(Whole)
    decided_by: Mapped[str | None] = mapped_column(String(160))
    decided_why: Mapped[str | None] = mapped_column(Text)
    reviewed: Mapped[int | None] = mapped_column(Whole)
    reviewer_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("accounts.id"))
    review: Mapped[str | None] = mapped_column(Text)


class ProposalEdit(Base):
    """What a proposal said in each version, and whose it was; the first is the author's. Never changed."""

    __tablename__ = "proposal_edits"

    proposal: Mapped[int] = mapped_column(_NUMBER, ForeignKey("proposals.number"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("accounts.id"))
    editor: Mapped[str] = mapped_column(String(MAX_PRINCIPAL))
    created: Mapped[int] = mapped_column(Whole)
    document: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))


class Approval(Base):
    """Somebody's yes to one version; ``proof`` says how it was known who that is (``password``, ``password, code``).
    ``dropped``: since when it counts no more, with the reason."""

    __tablename__ = "approvals"
    __table_args__ = (Index("approvals_by_proposal", "proposal", "version"),)

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    proposal: Mapped[int] = mapped_column(_NUMBER, ForeignKey("proposals.number"))
    version: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("accounts.id"))
    approver: Mapped[str] = mapped_column(String(MAX_PRINCIPAL))
    proof: Mapped[str] = mapped_column(String(32))
    created: Mapped[int] = mapped_column(Whole)
    dropped: Mapped[int | None] = mapped_column(Whole)
    dropped_why: Mapped[str | None] = mapped_column(String(128))


class GovernedDocument(Base):
    """A version of something that only proposals change; the highest is in force. Never changed: each change is a
    row. ``proposal`` is the one that it came by."""

    __tablename__ = "governed_documents"
    __table_args__ = (UniqueConstraint("kind", "place", "name", "version", name="governed_version"),)

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    place: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(128))
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    created: Mapped[int] = mapped_column(Whole)
    author: Mapped[str] = mapped_column(String(160))
