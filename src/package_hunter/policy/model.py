"""What a policy says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from package_hunter.model.scan import Decision, Verdict

CONFIDENCES = ("tree", "likely", "certain")
"""Of blame, unsure to sure."""


class Mode(StrEnum):
    """What a rule's word counts for: written down, told, or done."""

    LOG = "log"
    WARN = "warn"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Match:
    """Which findings are meant. Empty fields match anything; every field that is set must match.

    ``package`` is a pattern over purls without version (``pkg:npm/@scope/*``), ``versions`` a range
    (``>=1.2,<2``), ``path`` and ``destination`` are patterns over what the evidence names. ``verdict`` is what the
    finding alone makes of a scan; ages are in days since it was first seen in its project, and outside of a server
    each finding is new.
    """

    fingerprint: str = ""
    kind: str = ""
    rule: str = ""
    package: str = ""
    versions: str = ""
    path: str = ""
    destination: str = ""
    severity: str = ""  # this severity or worse
    ecosystem: str = ""
    phase: str = ""
    direct: bool | None = None
    verdict: str = ""
    confidence: str = ""  # this sure of whom to blame, or surer
    older_than: int | None = None
    newer_than: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Findings that somebody looked at and accepted, until ``expires`` (its last day, UTC)."""

    match: Match
    reason: str
    author: str
    expires: dt.date
    where: str = ""  # file and place, for messages
    inside: bool = False  # from the scanned project itself: never waives proof


@dataclass(frozen=True, slots=True)
class Rule:
    """The first enforced rule whose match fits a finding decides for it. It is rolled out by date: before
    ``warn_from`` it only logs, before ``enforce_from`` it does no more than warn."""

    match: Match
    decision: Decision
    name: str = ""
    mode: Mode = Mode.ENFORCE
    warn_from: dt.date | None = None
    enforce_from: dt.date | None = None

    def mode_on(self, day: dt.date) -> Mode:
        """What its word counts for on that day."""
        if self.mode is Mode.LOG or (self.warn_from is not None and day < self.warn_from):
            return Mode.LOG
        if self.mode is Mode.ENFORCE and self.enforce_from is not None and day < self.enforce_from:
            return Mode.WARN
        return self.mode


class When(StrEnum):
    """What asks for a required scan."""

    MERGE_REQUEST = "merge_request"
    NEW_VERSION = "new_version"
    NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A scan that must be there. ``projects`` are patterns over the paths of projects."""

    when: When
    projects: tuple[str, ...] = ("*",)
    depth: str = ""  # at least; "": as the server is set up


@dataclass(frozen=True, slots=True)
class Schedule:
    """Scans at set times: ``cron`` has five fields, in UTC. ``targets`` are purls; without any, the packages that the
    project had scanned last."""

    name: str
    cron: str
    projects: tuple[str, ...] = ("*",)
    targets: tuple[str, ...] = ()
    depth: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline definition of security's: a job whose forge says that exactly this file at this ref defines it scans
    what it says. ``issuer`` is the forge's URL, ``definition`` GitLab's ``ci_config_ref_uri`` or GitHub's
    ``job_workflow_ref``, both letter by letter; ``commit`` the commit that it must have been read at, where it is
    pinned so far. ``projects`` are patterns over the paths of projects."""

    issuer: str
    definition: str
    commit: str = ""
    projects: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Policy:
    """Decisions by verdict, rules by finding, waivers.

    A rule's decision counts for its finding instead of the verdict's; the gravest of all counts."""

    by_verdict: tuple[tuple[Verdict, Decision], ...] = (
        (Verdict.MALICIOUS, Decision.BLOCK),
        (Verdict.SUSPICIOUS, Decision.REVIEW),
        (Verdict.INCONCLUSIVE, Decision.REVIEW),
        (Verdict.NO_FINDINGS, Decision.PASS),
    )
    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    own_file: bool = False  # whether the scanned project's own file may waive what is no proof
    own_file_from: tuple[str, ...] = ("*",)  # on a server: patterns of the accounts for which it may
    requirements: tuple[Requirement, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
