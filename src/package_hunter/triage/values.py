"""What people decide about a finding."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from package_hunter.errors import UsageError

MAX_REMARK = 4_000  # characters
MAX_DAYS = 366  # an acceptance, from today


class State(StrEnum):
    """A finding has exactly one in a project. That it is no longer detected is a fact, and none of these."""

    NEEDS_TRIAGE = "needs_triage"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    FALSE_POSITIVE = "false_positive"
    RESOLVED = "resolved"

    @property
    def silences(self) -> bool:
        """Whether a finding of this state counts no more."""
        return self in (State.ACCEPTED, State.FALSE_POSITIVE)


class Reason(StrEnum):
    """Why."""

    ACCEPTABLE_RISK = "acceptable_risk"
    MITIGATING_CONTROL = "mitigating_control"
    USED_IN_TESTS = "used_in_tests"
    STATED_PURPOSE = "stated_purpose"
    NOT_APPLICABLE = "not_applicable"
    OTHER = "other"


REASON_MEANING: dict[Reason, str] = {
    Reason.ACCEPTABLE_RISK: "the risk is known and borne",
    Reason.MITIGATING_CONTROL: "something else keeps it from doing harm",
    Reason.USED_IN_TESTS: "it runs in tests alone",
    Reason.STATED_PURPOSE: "it is what the tool says that it does",
    Reason.NOT_APPLICABLE: "it does not concern this project",
    Reason.OTHER: "said in the remark",
}


class Asks(StrEnum):
    """Why a finding that had a state needs triage again."""

    CHANGED = "changed"  # it does what it did not do when the state was set
    EXPIRED = "expired"  # the acceptance ran out
    BACK = "back"  # it was resolved, and a later scan found it


@dataclass(frozen=True, slots=True)
class Grant:
    """The right that an approved proposal gives, made by whoever applies it alone. ``base``: the digest of what it was
    made from, where there was something."""

    proposal: str
    base: str | None = None


@dataclass(frozen=True, slots=True)
class NewState:
    """A state to be set; `check` says whether it can be. ``until`` is the last day (UTC) of an acceptance."""

    state: State
    reason: Reason | None = None
    remark: str = ""
    until: dt.date | None = None

    def check(self, today: dt.date) -> NewState:
        """Itself; UsageError where a reason or a day is missing or wrong."""
        if len(self.remark) > MAX_REMARK:
            raise UsageError(f"The remark is longer than {MAX_REMARK} characters.", "Shorten it.")
        if self.state is not State.NEEDS_TRIAGE and self.reason is None:
            raise UsageError("A state needs a reason.", f"One of {', '.join(Reason)}.")
        if self.reason is Reason.OTHER and not self.remark.strip():
            raise UsageError("The reason “other” needs words.", "Say it in the remark.")
        if self.state is not State.ACCEPTED:
            if self.until is not None:
                raise UsageError(
                    "Only an acceptance has a last day.", f"Leave it out for {self.state.value}."
                )
            return self
        last = today + dt.timedelta(days=MAX_DAYS)
        if self.until is None:
            raise UsageError("An acceptance needs its last day.", f"Give one up to {last}.")
        if not today <= self.until <= last:
            raise UsageError(f"{self.until} is no day for an acceptance.", f"It goes from {today} to {last}.")
        return self
