"""What the people decided: about findings, each alone; and about changes that need two of them, in every state that a
proposal comes to (but *expired*, which takes days)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ci.demo_server import proposals
from ci.demo_server.client import Client, RefusedError
from ci.demo_server.plan import BEN, CLEO

Team = Mapping[str, Client]


@dataclass(frozen=True, slots=True)
class Which:
    """A finding: of this kind, in this project, by the package of this name."""

    project: str
    package: str
    kind: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding's state; ``days``: how long it is accepted."""

    which: Which
    state: str
    reason: str
    remark: str
    days: int | None = None


_HOOK = Which("web/blog", "commit-helper", "git_hook")
_STATES = (
    Decided(
        Which("web/portal", "maldep", "outbound_connection"),
        *("false_positive", "stated_purpose", "It fetches its own word list; ticket 31."),
    ),
    Decided(_HOOK, "accepted", "used_in_tests", "The hook runs our linter; ticket 12.", days=9),
    Decided(
        Which("data/models", "ultra-lyrics", "mining"),
        "confirmed",
        "other",
        "It talked to a pool; ticket 40.",
    ),
)
_CLAIMED = Which("web/portal", "flat-stream", "exfiltration")
_WAIVED = Which("web/blog", "arg-coa", "exfiltration")
_NOTE = "We asked the authors what the hook calls: it is their own check."


def make(who: Team, say: Callable[[str], None]) -> None:
    """All of it, where it was not decided yet."""
    for one in _STATES:
        _set(one, who[BEN.name])
    _claim(who[BEN.name])
    _note(who[CLEO.name])
    proposals.make(who, find(who[CLEO.name], _WAIVED), say)


def _set(one: Decided, by: Client) -> None:
    finding = find(by, one.which)
    if finding["state"] == "needs_triage":
        said = {"state": one.state, "reason": one.reason, "remark": one.remark}
        said |= {} if one.days is None else {"until": proposals.day(one.days)}
        by.put(f"/findings/{finding['id']}/state", said)


def _claim(by: Client) -> None:
    finding = find(by, _CLAIMED)
    if finding["claimed_by"] is None:
        by.put(f"/findings/{finding['id']}/claim", {"hours": 24})


def _note(by: Client) -> None:
    route = f"/findings/{find(by, _HOOK)['id']}/notes"
    if not by.get(route)["items"]:
        by.post(route, {"text": _NOTE})


def find(by: Client, which: Which) -> dict[str, Any]:
    """The first of that kind; RefusedError: there is none."""
    for one in by.all("/findings", project=which.project, kind=which.kind):
        if one["package"].rpartition("/")[2] == which.package:
            found: dict[str, Any] = one
            return found
    raise RefusedError(
        f"No scan in {which.project} found the {which.kind} that {which.package} is known for."
    )
