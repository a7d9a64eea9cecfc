"""The values of lists of scans and of what is done with one, as OpenAPI shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.errors import UsageError
from package_hunter.inventory.names import name_of
from package_hunter.model.depth import DepthName
from package_hunter.model.ecosystem import facts_of, names
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.base import MAX_NAME, MAX_TARGET
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
            since=_ms(self.since),
            until=_ms(self.until),
        )


def _ms(time: datetime | None) -> int | None:
    if time is None:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
