"""The values of changes that need two people, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.api.identity_schemas import Code, Password
from package_hunter.governance.proposals.decide import Emergency
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.life import STATES
from package_hunter.store.history import MAX_WHY

Number = Annotated[int, Field(ge=1, le=1 << 62, description="The proposal's number.")]
Words = Annotated[str, Field(min_length=1, max_length=MAX_WHY)]
ProposalState = StrEnum("ProposalState", {state.upper(): state for state in STATES})  # type: ignore[misc]
Kind = StrEnum("Kind", {name.upper().replace("-", "_"): name for name in KINDS})  # type: ignore[misc]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListQuery(_Asked):
    """Which proposals are asked for."""

    state: ProposalState | None = None
    kind: Kind | None = None
    unreviewed: bool = Field(default=False, description="Applied without approval, and not looked at yet.")
    waiting: bool = Field(
        default=False, description="Those that the account that asks may approve, and has not yet."
    )
    before: int | None = Field(default=None, ge=1, le=1 << 62, description="`next` of the page before.")
    limit: int = Field(default=100, ge=1, le=500)


class _Change(_Asked):
    """What a change is to be."""

    document: Any = Field(
        description="In the form of its kind: docs/proposals.md. Null: nothing more of its kind there."
    )
    reason: Words


class EditBody(_Change):
    """What a proposal is to say."""

    apply_at: datetime | None = Field(
        default=None, description="Not before then; unset: as it was; null: once it is approved."
    )


class PreviewBody(_Asked):
    """A change that somebody thinks of."""

    kind: Kind = Field(examples=["policy"])
    document: Any = Field(description="In the form of its kind: docs/proposals.md.")


class ProposeBody(_Change):
    """A change that somebody wants."""

    apply_at: datetime | None = Field(
        default=None, description="Not before then; unset: once it is approved."
    )
    kind: Kind = Field(examples=["policy"])


class WhyBody(_Asked):
    """Why."""

    why: Words


class Proof(_Asked):
    """Once more who one is. In a session that was confirmed within two minutes both may be left out."""

    password: Password | None = None
    code: Code | None = None


class ApproveBody(Proof):
    """A yes to what was seen."""

    content_hash: Hash = Field(description="Of what you saw: `content_hash` of the proposal.")
    version: int = Field(ge=1, le=(1 << 31) - 1, description="Of what you saw: `version` of the proposal.")


class BreakGlassBody(Proof):
    """An emergency."""

    reason: Emergency
    why: Words


class FlipInfo(BaseModel):
    """A scan that would be decided otherwise."""

    scan: str
    target: str
    project: str
    was: str
    now: str
    merge_request: str | None


class ImpactInfo(BaseModel):
    """What the change would do to what was scanned. What the budget left out is in `not_tried`."""

    what: str = Field(description="What was tried: `scans`, `recordings`.")
    total: int
    tried: int
    not_tried: int
    flipped: int
    flips: list[FlipInfo] = Field(description="The first thousand.")
    effects: list[str] = Field(description="What no scan shows, in sentences.")


class EditInfo(BaseModel):
    """A version, and whose it is; the first is the author's."""

    version: int
    editor: str
    time: datetime
    content_hash: str


class ApprovalInfo(BaseModel):
    """Somebody's yes."""

    approver: str
    time: datetime
    version: int
    proof: str
    counts: bool
    dropped_why: str | None


class ProposalSummary(BaseModel):
    """A proposal in a list."""

    number: int
    kind: str
    state: ProposalState
    place: str = Field(description="The path of a project or group, or `everywhere`.")
    project: str | None
    group: str | None
    subject: str
    author: str
    reason: str
    approvals: int
    needed: int
    would_flip: int
    not_tried: int
    created: datetime
    expires: datetime
    apply_at: datetime | None
    way: str | None = Field(description="How it was applied: `approved`, `break-glass`, `alone`.")
    unreviewed: bool
    waits_for_you: bool = Field(description="Whether the account that asks may approve it, and has not yet.")


class PreviewInfo(BaseModel):
    """What a change would be, before anybody proposed it."""

    subject: str
    content_hash: str
    base_hash: str
    diff: str
    impact: ImpactInfo


class ProposalInfo(ProposalSummary):
    """All of a proposal."""

    document: Any
    content_hash: str = Field(description="SHA-256 of the document as canonical JSON (RFC 8785).")
    base_hash: str = Field(description="The same, of what was in force when it was made.")
    version: int
    stuck: str | None = Field(
        description="Why an open one gets no approvals as things stand, with what to do; null where it can."
    )
    waits_for: list[str] = Field(description="Who may approve it, and has not yet.")
    diff: str
    impact: ImpactInfo
    edits: list[EditInfo]
    given: list[ApprovalInfo]
    applied: datetime | None
    decided: datetime | None
    decided_by: str | None
    decided_why: str | None
    emergency: str | None
    emergency_text: str | None
    reviewed: datetime | None
    reviewer: str | None
    review: str | None


class ProposalList(BaseModel):
    """Those that the account can see, newest first."""

    items: list[ProposalSummary]
    next: int | None = Field(description="Give this as `before` to see older ones; null at the end.")
