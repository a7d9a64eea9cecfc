"""The values of policies, as OpenAPI shows them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.policy.load import MAX_BYTES


class ScopeInfo(BaseModel):
    """A scope that has a policy of its own."""

    scope: str = Field(description="`all`, `group:PATH` or `project:PATH`.")
    id: str = Field(description="`all`, or the id of the group or project.")
    digest: str = Field(description="SHA-256 of the document's canonical JSON.")
    version: int = Field(description="0: it is the server's file, which has none.")
    reviewed: bool = Field(description="Whether an approved proposal put it there.")
    who: str
    time: dt.datetime | None


class ScopeList(BaseModel):
    """By scope."""

    items: list[ScopeInfo]


class ExceptionInfo(BaseModel):
    """An exception that a rule proposes of itself: a rule to stand before it."""

    rule: dict[str, Any]
    false_positives: int


class RuleInfo(BaseModel):
    """What a rule did."""

    label: str
    decision: str
    mode: str = Field(description="`log`, `warn` or `enforce`, as it counts today.")
    fits: int = Field(description="Findings that it is for, of those that the account can see.")
    decided: int = Field(description="Those that it decides.")
    states: dict[str, int]
    false_positive_share: float | None = Field(description="Of those that somebody decided about.")
    minutes: int = Field(description="That people spent, from claims to states.")
    exceptions: list[ExceptionInfo]


class PolicyInfo(ScopeInfo):
    """A scope's policy, and what its rules did."""

    document: dict[str, Any]
    source: str = Field(description="The document as the text of a policy file (TOML).")
    rules: list[RuleInfo]
    counted: int = Field(description="Findings that were looked at for the figures.")
    not_counted: int


class CheckBody(BaseModel):
    """A policy to be checked: as the text of a file, or as a document."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = Field(default=None, max_length=MAX_BYTES, description="TOML: docs/policies.md.")
    document: dict[str, Any] | None = None
    narrow: bool = Field(default=False, description="It is of a group or project, not of all.")


class PolicyProblem(BaseModel):
    """Something that is wrong with a policy."""

    line: int
    column: int
    message: str
    advice: str


class CheckedPolicy(BaseModel):
    """What is to be said of a policy."""

    ok: bool
    document: dict[str, Any] | None = Field(description="Null where it is wrong.")
    source: str = Field(description="The text: that which was given, or the document's.")
    problems: list[PolicyProblem] = Field(description="With places in `source`.")


class LayerInfo(BaseModel):
    """What one scope asks for in a project."""

    scope: str
    digest: str
    verdicts: dict[str, str] = Field(
        description="Decision by verdict; those of a group or project that ask for nothing are left out."
    )
    rules: list[str] = Field(description="Each with its decision and its mode today.")
    says: list[str] = Field(description="The same in sentences, in their order: the first that fits decides.")


class RequiredInfo(BaseModel):
    """A scan that must be there."""

    scan: str
    scope: str
    depth: str


class RunInfo(BaseModel):
    """What came of a schedule."""

    due: dt.datetime
    ran: dt.datetime
    submitted: int
    said: str


class EffectiveInfo(BaseModel):
    """What holds for a project: the layers, the widest first; the stricter wins."""

    project: str
    key: str = Field(description="Results under the same key are the same.")
    layers: list[LayerInfo]
    required: list[RequiredInfo]
    schedules: list[RunInfo]
