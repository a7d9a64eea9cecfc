"""What a demo server holds: people, places, what is scanned. What people then decide is in `decisions.py`."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = ("web", "data")
PROJECTS = ("web/shop", "web/blog", "web/portal", "data/reports", "data/models")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. ``roles``: role and the place where it is held (empty: everywhere)."""

    name: str
    who: str
    roles: tuple[tuple[str, str], ...]
    home: str


ANA = Person(
    "ana",
    "leads security: approves, reads the history, runs the server",
    (("security-admin", ""), ("auditor", ""), ("administrator", "")),
    "web/shop",
)
BEN = Person("ben", "analyst: decides on findings, proposes", (("analyst", ""),), "web/shop")
CLEO = Person("cleo", "developer of the web group", (("developer", "web"),), "web/shop")
DAN = Person("dan", "looks at the data group", (("viewer", "data"),), "data/reports")
PEOPLE = (ANA, BEN, CLEO, DAN)


@dataclass(frozen=True, slots=True)
class Submission:
    """A simulation (or its honest twin, which comes first: what a project had before) to be scanned in a project.
    ``merge_request``: of which the tree is. ``depth``: how far the scan looks; quick is seconds."""

    project: str
    simulation: str
    honest: bool = False
    merge_request: int | None = None
    depth: str = "quick"

    @property
    def version(self) -> str:
        """Of its npm packages: the honest release came first, the attack after it."""
        return "1.0.0" if self.honest else "1.0.1"

    @property
    def key(self) -> str:
        """For people, and to know it again."""
        return f"{self.project}: {self.simulation}{', honest twin' if self.honest else ''}"


def _pair(project: str, simulation: str, merge_request: int | None = None) -> tuple[Submission, Submission]:
    return Submission(project, simulation, honest=True), Submission(
        project, simulation, merge_request=merge_request
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server is filled with. Everything of a wave has ended before the next is submitted.
    ``decided``: people have decided about some of it, and proposed changes."""

    waves: tuple[tuple[Submission, ...], ...]
    decided: bool = True


def _in_waves(*pairs: tuple[Submission, Submission]) -> Plan:
    return Plan((tuple(honest for honest, _ in pairs), tuple(attack for _, attack in pairs)))


FULL = _in_waves(
    _pair("web/shop", "eslint-scope", merge_request=7),
    _pair("web/blog", "git-hook"),
    _pair("web/blog", "coa-rc"),
    _pair("web/portal", "falco-test", merge_request=12),
    _pair("web/portal", "event-stream"),
    _pair("data/reports", "strong-password"),
    _pair("data/reports", "dependency-confusion"),
    _pair("data/models", "durabletask"),
    _pair("data/models", "ultralytics"),
)
WALK = Plan(
    (
        (
            Submission("web/shop", "eslint-scope", honest=True),
            Submission("web/portal", "falco-test", honest=True),
        ),
        (Submission("web/shop", "eslint-scope", merge_request=7),),
    )
)
"""What docs/triage.md walks through, and no more: for its test."""
