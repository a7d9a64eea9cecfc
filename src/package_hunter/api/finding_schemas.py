"""The values of findings, as OpenAPI shows them."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import fields
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.errors import UsageError
from package_hunter.model.scan import Decision, Verdict
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.triage.bulk import MAX_FINDINGS
from package_hunter.triage.claims import MAX_HOURS, USUAL_HOURS
from package_hunter.triage.listing import MAX_PAGE, Filters, Order
from package_hunter.triage.notes import MAX_TEXT
from package_hunter.triage.values import MAX_REMARK, REASON_MEANING, Asks, NewState, Reason, State

Severity = Literal["info", "low", "medium", "high", "critical"]
Days = Annotated[int, Field(ge=0, le=100_000)]
Mark = Annotated[str, Field(max_length=64)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StateInfo(BaseModel):
    """The state that was set and reaches the finding, whether or not it still holds."""

    state: State
    scope: str = Field(description="Whose it is: `all`, `group:PATH`, `project:PATH`.")
    reason: Reason | None
    remark: str
    until: dt.date | None = Field(description="The last day of an acceptance (UTC).")
    proposal: str | None = Field(description="The approved proposal that set it, if one did.")
    who: str
    time: dt.datetime


class FindingInfo(BaseModel):
    """A finding in a project."""

    id: str
    fingerprint: str
    project: str = Field(description="The project's id.")
    path: str = Field(description="The project's path.")
    kind: str
    severity: Severity
    proof: bool
    verdict: Verdict = Field(description="What it alone makes of a scan.")
    confidence: str = Field(description="How sure it is whom to blame; empty: nobody is.")
    title: str
    package: str = Field(description="A package URL without version; empty: the project, or the whole tree.")
    state: State = Field(description="What counts now.")
    asks: Asks | None = Field(description="Why it needs triage again, after it had a state.")
    until: dt.date | None
    detected: bool = Field(description="False: the newest whole scans do not find it any more.")
    decision: Decision | None = Field(description="What the policy makes of it; null: it is not worked out.")
    silenced: str | None = Field(description="Why it does not count.")
    rule: str | None = Field(description="The enforced rule that decides it.")
    warned: list[str] = Field(description="Rules that only warn, and what they would decide.")
    claimed_by: str | None
    claimed_until: dt.datetime | None
    first_seen: dt.datetime
    last_seen: dt.datetime
    first_scan: str
    last_scan: str
    scans: int = Field(description="How many scans had it.")
    drill: bool = Field(description="It is of a standing drill: nobody attacked.")


class FindingDetails(FindingInfo):
    """A finding, and all that people need to decide."""

    set: StateInfo | None = Field(description="The state that reaches it; null: nobody set one.")
    changed: list[str] = Field(description="What it does that it did not when the state was set.")
    behaviour: str = Field(description="A digest of what it does: to be given with a state.")
    subjects: list[str] = Field(description="What it is done to: hosts, files, programs.")
    needs_proposal: str | None = Field(description="Why no single person may silence it.")


class FindingList(BaseModel):
    """Findings of the projects that the account can see."""

    items: list[FindingInfo]
    next: str | None = Field(description="Give this as `after` to see the following ones; null at the end.")


class StateBody(_Asked):
    """A state to be set."""

    state: State
    reason: Reason | None = Field(
        default=None,
        description="Needed for all but `needs_triage`. "
        + "; ".join(f"`{reason.value}`: {said}" for reason, said in REASON_MEANING.items()),
    )
    remark: str = Field(default="", max_length=MAX_REMARK, description="Needed where the reason is `other`.")
    until: dt.date | None = Field(default=None, description="The last day of an acceptance (UTC).")

    def new(self) -> NewState:
        """As the domain has it."""
        return NewState(self.state, self.reason, self.remark, self.until)


class SetStateBody(StateBody):
    """A state to be set for one finding."""

    behaviour: Mark | None = Field(
        default=None,
        description="The finding's `behaviour` that was looked at: 409 where it is another by now.",
    )
    replaces: dt.datetime | None = Field(
        default=None,
        description="The time of the state (`set.time`) that was looked at, null where none was set: 409 where another "
        "is set by now. Left out: whatever is set.",
    )
    scope: Literal["project", "group", "all"] = "project"
    group: Annotated[str, Field(max_length=MAX_PATH)] | None = Field(
        default=None,
        description="The group's path, one above the finding's project, where that is the scope.",
    )


class FilterBody(_Asked):
    """Which findings; what is left out is not asked."""

    project: Annotated[str, Field(max_length=MAX_PATH)] | None = None
    group: Annotated[str, Field(max_length=MAX_PATH)] | None = Field(
        default=None, description="A group's path: of all projects below it."
    )
    state: State | None = None
    asks: Asks | None = None
    kind: Annotated[str, Field(max_length=64)] | None = None
    severity: Severity | None = Field(default=None, description="This or worse.")
    verdict: Verdict | None = None
    package: Annotated[str, Field(max_length=512)] | None = Field(
        default=None, description="Without version; `*` at its end: all that begin so."
    )
    fingerprint: Mark | None = None
    older_than: Days | None = Field(default=None, description="Days since it was first seen.")
    newer_than: Days | None = None
    detected: bool | None = None
    claimed: bool | None = None
    claimed_by: Annotated[str, Field(max_length=160)] | None = Field(
        default=None, description="The account that is on it."
    )
    expires_in: Days | None = Field(default=None, description="Accepted, and that ends within so many days.")
    drill: bool | None = Field(default=None, description="Of standing drills; false: of all else.")
    text: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="In title, package, kind or fingerprint."
    )

    def filters(self) -> Filters:
        """As the domain has them; project and group are a view's. UsageError: no package is called so."""
        if self.package and not self.package.startswith("pkg:") and not self.package.endswith("*"):
            raise UsageError("This is no package URL.", "It looks like pkg:npm/left-pad, or pkg:npm/left*.")
        names = {field.name for field in fields(Filters)}
        return Filters(**{name: getattr(self, name) for name in names})


class ListQuery(FilterBody):
    """The parameters of a list."""

    order: Order = Field(default=Order.SEEN, description="`seen`: what was seen last first; or the gravest.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    after: Annotated[str, Field(max_length=80)] | None = Field(
        default=None, description="`next` of the page before."
    )


class ManyBody(_Asked):
    """Findings by id or by filter, and the state for all of them, each in its own project."""

    ids: Annotated[list[uuid.UUID], Field(max_length=MAX_FINDINGS)] | None = None
    filter: FilterBody = FilterBody()
    set: StateBody


class ManyApplyBody(ManyBody):
    """The same, as it was previewed."""

    digest: str = Field(max_length=64, description="The preview's.")


class FlipInfo(BaseModel):
    """A scan that would come to another decision."""

    scan: str
    project: str
    what: str = Field(description="What was scanned, for people.")
    before: Decision
    after: Decision
    verdict_before: Verdict
    verdict_after: Verdict


class ImpactInfo(BaseModel):
    """What a change would do to the newest scan of each line."""

    tried: int
    not_tried: int = Field(description="Left out: the budget was spent.")
    milder: int
    stricter: int
    flips: list[FlipInfo]


class RefusedInfo(BaseModel):
    """A finding that stays as it is."""

    id: str
    fingerprint: str
    why: str


class PreviewInfo(BaseModel):
    """What setting the state would do."""

    findings: int
    projects: int
    detected: int = Field(description="Of these, those that scans still find.")
    refused: list[RefusedInfo]
    impact: ImpactInfo
    digest: str = Field(description="To be given to do exactly this.")


class ManyDone(BaseModel):
    """What was done."""

    findings: int
    refused: list[RefusedInfo]


class ClaimBody(_Asked):
    """That one is on it."""

    hours: int = Field(default=USUAL_HOURS, ge=1, le=MAX_HOURS)


class NoteBody(_Asked):
    """A note."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    parent: uuid.UUID | None = Field(default=None, description="The note that it answers.")


class NoteInfo(BaseModel):
    """A note on a finding."""

    id: str
    parent: str | None
    who: str
    time: dt.datetime
    text: str


class NoteList(BaseModel):
    """Oldest first."""

    items: list[NoteInfo]
