"""The values of lists of scans and of what is done with one, as OpenAPI shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.errors import UsageError
from package_hunter.inventory.names import name_of
from package_hunter.model.depth import DepthName
from package_hunter.model.ecosystem import facts_of, names
from package_hunter.model.priority import Priority
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.base import MAX_NAME, MAX_TARGET
from package_hunter.store.history import MAX_WHY
from package_hunter.store.scan_list import MAX_PAGE, ScanFilters

Time = Annotated[datetime, Field(description="ISO 8601; without an offset it is UTC.")]


class ScanQuery(BaseModel):
    """Which scans; all that is said must fit."""

    model_config = ConfigDict(extra="forbid")

    project: str | None = Field(
        default=None, max_length=MAX_PATH, description="Only those of the project of this path."
    )
    status: ScanStatus | None = Field(default=None, description="Only scans of this status.")
    verdict: Verdict | None = Field(default=None, description="Only those with this verdict.")
    decision: Decision | None = Field(default=None, description="Only those that the policy decided so.")
    ecosystem: str | None = Field(
        default=None, max_length=32, description="An ecosystem, or a package manager of it."
    )
    package: str | None = Field(
        default=None,
        max_length=MAX_TARGET,
        description="A package URL, with or without version: scans of it, and those that found it installed.",
    )
    submitter: str | None = Field(default=None, max_length=MAX_NAME, description="An account.")
    depth: DepthName | None = Field(default=None, description="Only those that were to look so far.")
    since: Time | None = Field(default=None, description="Accepted at this time or later.")
    until: Time | None = Field(default=None, description="Accepted before this time.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE, description="How many at most.")
    before: str | None = Field(default=None, max_length=80, description="`next` of the page before.")

    def filters(self) -> ScanFilters:
        """As the store has them; UsageError: the package, or the ecosystem, is none."""
        facts = None if self.ecosystem is None else facts_of(self.ecosystem)
        if self.ecosystem is not None and facts is None:
            known = ", ".join(names())
            raise UsageError(f"Unknown ecosystem {self.ecosystem!r}.", f"Known ones: {known}.")
        name = None if self.package is None else name_of(self.package)
        return ScanFilters(
            status=self.status,
            verdict=self.verdict,
            decision=self.decision,
            ecosystem=None if facts is None else facts.name,
            package=None if name is None else (name.base, name.version),
            submitter=self.submitter,
            depth=self.depth,
            since=to_ms(self.since),
            until=to_ms(self.until),
        )


def to_ms(time: datetime | None) -> int | None:
    """As the store has it."""
    if time is None:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


Why = Annotated[str, Field(max_length=MAX_WHY, description="Why: for people, and the history.")]
PriorityName = Literal["nightly", "normal", "merge-request"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CancelBody(_Asked):
    """Why a scan is to end."""

    why: Why = ""


class RerunBody(_Asked):
    """How a scan is to wait."""

    priority: PriorityName = Field(default="normal", description="Of those that wait, who comes first.")

    def to_priority(self) -> Priority:
        """As the queue has it."""
        return priority_of(self.priority)


class AgainBody(RerunBody):
    """How the same is to be scanned once more."""

    depth: DepthName | None = Field(default=None, description="How far to look; unset: as it was.")


def priority_of(name: PriorityName) -> Priority:
    """By the word for it."""
    return next(one for one in Priority if one.word == name)


class RejudgeInfo(BaseModel):
    """How judging a scan again stands."""

    scan: str
    state: Literal["waiting", "unchanged", "changed", "failed"]
    asked: datetime
    by: str = Field(description="The account that asked.")
    ended: datetime | None
    said: str | None = Field(description="What came of it, in a sentence.")


class KeptFileInfo(BaseModel):
    """A file that is kept of a scan."""

    digest: str = Field(description="SHA-256 (hex): by this it is fetched.")
    name: str = Field(description="A recording's file name, or where it lay in the box (nothing to trust).")
    size: int = Field(description="In bytes.")
    created: datetime


class KeptFileList(BaseModel):
    """Files that are kept of a scan."""

    items: list[KeptFileInfo]


class HoldBody(_Asked):
    """Why something is not to be deleted."""

    why: str = Field(min_length=1, max_length=MAX_WHY, description="The matter that it is for.")


class HoldInfo(BaseModel):
    """A legal hold."""

    number: int
    project: str = Field(description="The id of the project.")
    scan: str | None = Field(description="The scan that is held; null: all of the project.")
    reason: str
    who: str
    since: datetime


class HoldList(BaseModel):
    """Legal holds, oldest first."""

    items: list[HoldInfo]
