"""The tables of findings in projects. What is told of a finding here is a projection of reports and states: it can be
made anew from those. States, notes and efforts are what people said, and are not."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.base import Base
from package_hunter.store.types import Id, Whole

MAX_TITLE = 500
MAX_PURL = 512
_ACTOR = 160

# what lists ask for (triage/listing.py), beside the order that they have
_LISTED = (
    "project_id",
    "state",
    "asks",
    "kind",
    "verdict",
    "detected",
    "claimed_until",
    "first_seen",
    "package",
    "claimed_by",
    "until",
)


class FindingRow(Base):
    """A finding in a project. ``package`` is a purl without version; ``severity`` a rank (model.scales), ``facts`` and
    ``behaviour`` JSON of `policy.facts.Facts` and `triage.behaviour.Behaviour`, as last seen; ``detected``: the last
    whole scan of some line of the project has it. ``state`` is what counts now; ``asks`` says why it is *needs triage*
    again; ``place`` is whose state it is, as `Member.place`."""

    __tablename__ = "findings"
    __table_args__ = (
        Index("findings_by_fingerprint", "fingerprint", "project_id"),
        Index("findings_listed", "last_seen", "id", "severity", *_LISTED),
        Index("findings_by_project", "project_id", "last_seen", "id"),
        Index("findings_by_state", "state", "last_seen", "id"),
        Index("findings_by_project_state", "project_id", "state", "last_seen", "id"),
        Index("findings_gravest", "severity", "last_seen", "id", *_LISTED),
        Index("findings_by_kind", "kind", "last_seen", "id"),
        Index(
            "findings_by_package",
            *("package", "last_seen", "id"),
            postgresql_ops={"package": "varchar_pattern_ops"},  # for begins of packages
        ),
        Index("findings_by_project_severity", "project_id", "severity", "last_seen", "id"),
        Index("findings_by_end", "state", "until"),
        Index("findings_by_age", "first_seen"),
        Index("findings_by_claim", "claimed_until"),
        Index("findings_by_asks", "asks", "last_seen", "id"),
        Index("findings_by_wait", "state", "detected", "first_seen", "severity", "project_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    fingerprint: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    severity: Mapped[int] = mapped_column(SmallInteger)
    proof: Mapped[bool]
    verdict: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    package: Mapped[str] = mapped_column(String(MAX_PURL))
    facts: Mapped[str] = mapped_column(Text)
    behaviour: Mapped[str] = mapped_column(Text)
    behaviour_digest: Mapped[str] = mapped_column(String(32))
    first_seen: Mapped[int] = mapped_column(Whole)
    last_seen: Mapped[int] = mapped_column(Whole)
    first_scan: Mapped[uuid.UUID] = mapped_column(Id)
    last_scan: Mapped[uuid.UUID] = mapped_column(Id)
    scans: Mapped[int] = mapped_column(Whole)
    detected: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16))
    asks: Mapped[str | None] = mapped_column(String(16))
    place: Mapped[str | None] = mapped_column(String(32))
    until: Mapped[str | None] = mapped_column(String(10))
    claimed_by: Mapped[str | None] = mapped_column(String(_ACTOR))
    claimed: Mapped[int | None] = mapped_column(Whole)
    claimed_until: Mapped[int | None] = mapped_column(Whole)


class WordsRow(Base):
    """What a finding is searched by, in lower case: apart, so that a search reads little."""

    __tablename__ = "finding_words"

    finding_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True
    )
    words: Mapped[str] = mapped_column(Text)


class OccurrenceRow(Base):
    """A finding in a scan: what is needed to judge the scan again."""

    __tablename__ = "occurrences"
    __table_args__ = (Index("occurrences_by_fingerprint", "fingerprint", "project_id"),)

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    package: Mapped[str] = mapped_column(String(MAX_PURL))
    facts: Mapped[str] = mapped_column(Text)
    behaviour: Mapped[str] = mapped_column(Text)


class LineRow(Base):
    """A line of scans: of one package, or of one project's archives. ``key`` is a digest of ``name``; ``last_scan`` the
    newest (by when it was submitted) that has a result, ``whole_created`` when the newest was that saw all."""

    __tablename__ = "scan_lines"

    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_PURL))
    purl: Mapped[str | None] = mapped_column(String(MAX_PURL))  # without version, where it is a package's
    last_scan: Mapped[uuid.UUID] = mapped_column(Id)
    last_created: Mapped[int] = mapped_column(Whole)
    whole_created: Mapped[int] = mapped_column(Whole)


class PresenceRow(Base):
    """Whether the newest whole scan of a line has a finding; a row once any of its scans had it."""

    __tablename__ = "finding_presence"
    __table_args__ = (Index("presence_by_fingerprint", "project_id", "fingerprint", "present"),)

    project_id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    line: Mapped[str] = mapped_column(String(32), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    present: Mapped[bool]


class ScanResultRow(Base):
    """What policies and states make of a scan: a projection of `triage.decide.result`, good for as long as ``basis``
    is what the policies and states of its project come to. ``own``: JSON of what the scanned project's own file
    said."""

    __tablename__ = "scan_results"
    __table_args__ = (Index("results_by_project", "project_id", "basis"),)

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[uuid.UUID] = mapped_column(Id)
    line: Mapped[str] = mapped_column(String(32))
    incomplete: Mapped[bool]
    own: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    decision: Mapped[str] = mapped_column(String(16))
    outcomes: Mapped[str] = mapped_column(Text)


class OwnSayRow(Base):
    """What the scanned project's own file said, kept from the judging of a scan until its result is stored."""

    __tablename__ = "own_says"

    scan_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True
    )
    said: Mapped[str] = mapped_column(Text)


class StateRow(Base):
    """A state that somebody set, for a project, a group or all (``place`` as `Member.place`). ``behaviour`` is what was
    looked at, ``proposal`` which approved proposal set it (it lifts proof and enforced rules)."""

    __tablename__ = "finding_states"
    __table_args__ = (Index("states_by_fingerprint", "fingerprint"), Index("states_by_time", "time"))

    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    remark: Mapped[str] = mapped_column(Text)
    until: Mapped[str | None] = mapped_column(String(10))
    proposal: Mapped[str | None] = mapped_column(String(64))
    behaviour: Mapped[str | None] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String(_ACTOR))
    time: Mapped[int] = mapped_column(Whole)


class StateVersionRow(Base):
    """Counts the changes of states in a place: what results are known by."""

    __tablename__ = "state_versions"

    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Whole)


class NoteRow(Base):
    """A note on a finding; ``parent_id`` is the one that it answers."""

    __tablename__ = "finding_notes"
    __table_args__ = (Index("notes_by_finding", "finding_id", "time", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    finding_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("findings.id", ondelete="CASCADE"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("finding_notes.id"))
    who: Mapped[str] = mapped_column(String(_ACTOR))
    time: Mapped[int] = mapped_column(Whole)
    text: Mapped[str] = mapped_column(Text)


class EffortRow(Base):
    """Time that somebody spent on a finding: from a claim to the state that ended it (at most the claim's length)."""

    __tablename__ = "finding_efforts"
    __table_args__ = (Index("efforts_by_finding", "finding_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    finding_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("findings.id", ondelete="CASCADE"))
    who: Mapped[str] = mapped_column(String(_ACTOR))
    began: Mapped[int] = mapped_column(Whole)
    ended: Mapped[int] = mapped_column(Whole)
    state: Mapped[str] = mapped_column(String(16))
