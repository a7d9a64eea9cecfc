"""The values of the gate, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.api.access_schemas import Path, Why
from package_hunter.api.inventory_schemas import Commit
from package_hunter.store.gate_tables import MAX_URL
from package_hunter.store.inventory_tables import MAX_REF

Word = Literal["pass", "block", "review", "missing"]
_Text = Annotated[str | None, Field(max_length=MAX_REF)]


class GateReason(BaseModel):
    """Why it is not pass."""

    result: Word
    what: str = Field(description="What was seen, in plain words.")
    who_can_lift_it: list[str] = Field(description="Names of people, or roles where nobody has them.")
    how_to_ask: str = Field(description="A command.")
    scan: str | None
    fingerprint: str | None
    package: str | None
    rule: str | None


class GateScan(BaseModel):
    """A scan that is said to be of the commit."""

    id: str
    status: str
    known: Literal["fetched", "pinned", "claimed"] = Field(
        description="By whom the tree is known: this server fetched it, security's pipeline vouches for it, or the "
        "submitter says so."
    )
    counts: bool
    says: str
    verdict: str | None
    decision: str | None
    known_from: str | None = Field(description="The earlier scan of equal inputs that covers it.")


class GatePolicy(BaseModel):
    """A policy document that had a say."""

    scope: str
    digest: str


class GateInfo(BaseModel):
    """What the gate says. Only `pass` lets a commit go on."""

    id: str = Field(description="Of this answer, which is kept as it is.")
    time: datetime = Field(description="When it was given first.")
    result: Word
    says: str
    waits: bool = Field(description="Whether a scan that will count is under way.")
    project: Path
    commit: Commit
    reasons: list[GateReason]
    scans: list[GateScan]
    policies: list[GatePolicy]
    basis: str


class GateList(BaseModel):
    """Answers, newest first."""

    items: list[GateInfo]


class NewFetch(BaseModel):
    """A commit to be fetched and scanned."""

    model_config = ConfigDict(extra="forbid")

    commit: Commit
    ref: _Text = None
    merge_request: Annotated[str | None, Field(max_length=18)] = None
    base: Commit | None = None


class FetchInfo(BaseModel):
    """How that stands."""

    id: str
    commit: Commit
    status: Literal["waiting", "done", "failed"]
    reason: str | None
    scan: str | None


class NewRepository(BaseModel):
    """Where a project's repository is."""

    model_config = ConfigDict(extra="forbid")

    project: Path
    url: str = Field(max_length=MAX_URL, examples=["https://gitlab.example/web/shop.git"])
    external: _Text = Field(default=None, description="The forge's name or number of the project.")
    status_check: Annotated[str | None, Field(max_length=18)] = Field(
        default=None, description="The number of GitLab's external status check."
    )
    why: Why = None


class RepositoryInfo(BaseModel):
    """A project's repository."""

    project: Path
    url: str
    external: str | None
    status_check: str | None


class RepositoryList(BaseModel):
    """By project."""

    items: list[RepositoryInfo]
