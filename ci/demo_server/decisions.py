"""What the people decided: about findings, each alone; and about changes that need two of them, in every state that a
proposal comes to (but *expired*, which takes days)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ci.demo_server import proposals
from ci.demo_server.client import Client, RefusedError
from ci.demo_server.plan import BEN, CLEO

Team = Mapping[str, Client]


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding's state, set by ``who``; the finding is the gravest in ``project`` that one person may decide about, by
    the package of this name."""

    project: str
    package: str
    state: str
    reason: str
    remark: str
    days: int | None = None
    who: str = BEN.name


_STATES = (
    Decided(
        "web/portal", "maldep", "false_positive", "stated_purpose", "It fetches its own word list; ticket 31."
    ),
    Decided(
        "web/blog",
        "commit-helper",
        "accepted",
        "used_in_tests",
        "The hook runs our linter; ticket 12.",
        days=9,
    ),
    Decided("data/models", "ultra-lyrics", "confirmed", "not_applicable", "It talked to a pool; ticket 40."),
)
_CLAIMED = ("web/portal", "flat-stream")
_WAIVED = ("web/blog", "arg-coa")
_NOTED = ("web/blog", "commit-helper", "We asked the authors what the hook calls: it is their own check.")


def make(who: Team, say: Callable[[str], None]) -> None:
    """All of it, where it was not decided yet."""
    for one in _STATES:
        _set(one, who[one.who])
    _claim(who[BEN.name])
    _note(who[CLEO.name])
    waived = find(who[CLEO.name], *_WAIVED, proof=True)
    proposals.make(who, waived, say)


def _set(one: Decided, by: Client) -> None:
    finding = find(by, one.project, one.package)
    if finding["state"] != "needs_triage":
        return
    day = (
        None
        if one.days is None
        else (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=one.days)).isoformat()
    )
    said = {"state": one.state, "reason": one.reason, "remark": one.remark, "until": day}
    by.put(f"/findings/{finding['id']}/state", said)


def _claim(by: Client) -> None:
    finding = find(by, *_CLAIMED)
    if finding["claimed_by"] is None:
        by.put(f"/findings/{finding['id']}/claim", {"hours": 24})


def _note(by: Client) -> None:
    project, package, text = _NOTED
    route = f"/findings/{find(by, project, package)['id']}/notes"
    if not by.get(route)["items"]:
        by.post(route, {"text": text})


def find(by: Client, project: str, package: str, *, proof: bool = False) -> dict[str, Any]:
    """The gravest finding by a package in a project that is proof, or none; RefusedError: there is none."""
    for one in by.all("/findings", project=project, order="severity"):
        name = one["package"].partition("?")[0].rpartition("/")[2]
        if name == package and one["proof"] == proof:
            found: dict[str, Any] = one
            return found
    raise RefusedError(f"No scan in {project} found what {package} is known for.")
