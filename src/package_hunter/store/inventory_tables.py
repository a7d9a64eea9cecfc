"""The tables of what projects hold: components, what was seen of them, what was said of them later.

A list of components is stored once, by its digest: the nightly scan of a project that did not change adds a row, not
a thousand. Digests of components are ``ALGORITHM:HEX`` (sha256, sha384, sha512).
"""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import MAX_NAME, MAX_TARGET, Base
from package_hunter.store.types import Id, Whole

MAX_VERSION = 255
MAX_DIGEST = 160
MAX_COMMIT = 64
MAX_REF = 255
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only an INTEGER by itself


class ComponentList(Base):
    """What one or more inventories list, named by the digest of its contents."""

    __tablename__ = "component_lists"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[int] = mapped_column(Whole)


class Component(Base):
    """A package of a list. ``base`` is its purl without version; ``exact``: all its digests are of the very file that
    is held (else they are those of the files that a lock file allows)."""

    __tablename__ = "components"
    __table_args__ = (
        Index("components_by_name", "base", "version", "list", "exact", "id"),
        Index("components_by_list", "list"),
    )

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    list: Mapped[str] = mapped_column(String(64), ForeignKey("component_lists.digest", ondelete="CASCADE"))
    base: Mapped[str] = mapped_column(String(MAX_TARGET))
    version: Mapped[str] = mapped_column(String(MAX_VERSION))
    path: Mapped[str | None] = mapped_column(Text)
    direct: Mapped[bool] = mapped_column(default=False)
    exact: Mapped[bool] = mapped_column(default=True)
    wanted_by: Mapped[str | None] = mapped_column(String(MAX_TARGET))


class ComponentDigest(Base):
    """A digest of a component."""

    __tablename__ = "component_digests"
    __table_args__ = (Index("component_digests_by_digest", "digest"),)

    component_id: Mapped[int] = mapped_column(
        _NUMBER, ForeignKey("components.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), primary_key=True)


class Holding(Base):
    """That a project held a list: by a scan, by the lock files of a scan, or by an SBOM that was handed in.
    ``owner`` is the account that submitted it; ``document`` the SHA-256 of an SBOM."""

    __tablename__ = "holdings"
    __table_args__ = (
        CheckConstraint("source IN ('scan', 'lock', 'sbom')", name="holding_source"),
        Index("holdings_by_list", "list", "source", "created", "scan_id", "project_id"),
        Index("holdings_by_project", "project_id", "created"),
        Index("holdings_by_scan", "scan_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    scan_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("scans.id", ondelete="CASCADE"))
    list: Mapped[str] = mapped_column(String(64), ForeignKey("component_lists.digest"))
    source: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(MAX_TARGET))
    commit: Mapped[str | None] = mapped_column(String(MAX_COMMIT))
    document: Mapped[str | None] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(MAX_NAME))
    created: Mapped[int] = mapped_column(Whole)


class ScanMark(Base):
    """What a scan's report can be found by: a finding's fingerprint, or a host that was contacted. ``purl`` is who is
    blamed, where somebody is."""

    __tablename__ = "scan_marks"
    __table_args__ = (
        CheckConstraint("kind IN ('fingerprint', 'host')", name="mark_kind"),
        Index("scan_marks_by_value", "kind", "value"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(255), primary_key=True)
    purl: Mapped[str | None] = mapped_column(String(MAX_TARGET))


class FileVerdict(Base):
    """What a scan saw a file do, where it did something: ``malicious`` or ``suspicious``. (That it did nothing is told
    by the scans that held it.)"""

    __tablename__ = "file_verdicts"
    __table_args__ = (
        CheckConstraint("verdict IN ('malicious', 'suspicious')", name="file_verdict"),
        Index("file_verdicts_by_name", "base", "version"),
        Index("file_verdicts_by_digest", "digest"),
    )

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), primary_key=True)
    base: Mapped[str] = mapped_column(String(MAX_TARGET))
    version: Mapped[str] = mapped_column(String(MAX_VERSION))
    verdict: Mapped[str] = mapped_column(String(16))
    what: Mapped[str] = mapped_column(Text)


class ReleaseFile(Base):
    """A file of a release whose members were read. ``members`` is JSON: member -> SHA-256; ``native`` JSON: those that
    are machine code; ``runs_here``: a box of this server can load it."""

    __tablename__ = "release_files"
    __table_args__ = (Index("release_files_by_name", "base", "version"),)

    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    base: Mapped[str] = mapped_column(String(MAX_TARGET))
    version: Mapped[str] = mapped_column(String(MAX_VERSION))
    name: Mapped[str] = mapped_column(String(255))
    runs_here: Mapped[bool]
    members: Mapped[str] = mapped_column(Text)
    native: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)


class Condemned(Base):
    """That a package is malicious, said after projects may have had it. ``origin``: ``osv`` (a record, known to
    everybody) or ``scan`` (known to who sees that scan, and to who holds the file). ``versions`` is JSON: a list of
    versions and ranges as OSV writes them; ``digests`` JSON, of the very files, where they are known. ``rotate`` and
    ``hosts`` are JSON lists of texts."""

    __tablename__ = "condemned"
    __table_args__ = (
        CheckConstraint("origin IN ('osv', 'scan')", name="condemned_origin"),
        Index("condemned_by_name", "base"),
        Index("condemned_by_record", "origin", "record", "base", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    origin: Mapped[str] = mapped_column(String(8))
    record: Mapped[str] = mapped_column(String(MAX_DIGEST))
    scan_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("scans.id", ondelete="CASCADE"))
    base: Mapped[str] = mapped_column(String(MAX_TARGET))
    versions: Mapped[str] = mapped_column(Text)
    digests: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    rotate: Mapped[str] = mapped_column(Text)
    hosts: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)
    withdrawn: Mapped[int | None] = mapped_column(Whole)


class Told(Base):
    """That a project was told of a condemned package that it held in this list; so it is told once."""

    __tablename__ = "told"

    condemned_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("condemned.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    list: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[int] = mapped_column(Whole)
