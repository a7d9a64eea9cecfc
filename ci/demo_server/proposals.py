"""Changes that somebody proposed, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ci.demo_server import rules
from ci.demo_server.client import Client
from ci.demo_server.plan import ANA, BEN, CLEO

Act = Callable[[Client, dict[str, Any]], Any]


def _approve(by: Client, seen: dict[str, Any]) -> None:
    said = {"content_hash": seen["content_hash"], "version": seen["version"], **by.proof()}
    by.post(f"/proposals/{seen['number']}/approve", said)


def _close(verb: str, why: str) -> Act:
    return lambda by, seen: by.post(f"/proposals/{seen['number']}/{verb}", {"why": why})


def _break_glass(by: Client, seen: dict[str, Any]) -> None:
    why = "The shop is down, and its mended release waits for this; Ben is on a train."
    said = {"reason": "production-emergency", "why": why, **by.proof()}
    by.post(f"/proposals/{seen['number']}/break-glass", said)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change. ``why`` tells it from all others; ``place``: a group's or project's path; ``then``: what becomes of it,
    and by whom, ``late``: only after all others; ``days``: not before so many."""

    why: str
    who: str
    kind: str
    place: str
    document: Any
    then: tuple[str, Act] | None = None
    days: int | None = None
    late: bool = False


def _merge_requests(*patterns: str) -> dict[str, Any]:
    return {"require": [{"scan": "merge_request", "projects": list(patterns)}]}


_YES = (ANA.name, _approve)
_WEB = {
    "rule": [
        {"name": "no hooks by packages", "decision": "block", "kind": "git_hook", "mode": "warn"},
        {"name": "strangers at install", "decision": "review", "severity": "medium", "mode": "log"},
    ],
    **_merge_requests("web/*"),
}
_DATA = {"rule": [{"name": "whatever is found stops", "decision": "block", "severity": "medium"}]}


def planned(waived: dict[str, Any]) -> tuple[Proposed, ...]:
    """All, in the order in which they are made; ``waived``: the finding that a waiver is asked for."""
    waiver = {
        "fingerprint": waived["fingerprint"],
        "reason": "used_in_tests",
        "until": day(30),
        "remark": "Our red team's own package.",
    }
    return (
        Proposed(
            "The web group's rules: what hooks into git warns first", BEN.name, "policy", "web", _WEB, _YES
        ),
        Proposed("Whatever is found stops the data group's merges", BEN.name, "policy", "data", _DATA, _YES),
        Proposed(
            "The red team's exercise of this month, ticket 12", CLEO.name, "waiver", waived["path"], waiver
        ),
        Proposed("Whoever reads git settings is told", BEN.name, "rule-set", "data", rules.NARROW, _YES),
        Proposed(
            "Any connection at all is critical",
            BEN.name,
            "rule-set",
            "web",
            rules.BROAD,
            (ANA.name, _close("reject", "Every package manager connects: it would stop everybody.")),
        ),
        Proposed(
            "A week is enough for a proposal",
            BEN.name,
            "approval-settings",
            "web",
            {"days": 7},
            (BEN.name, _close("withdraw", "Ana is away for two weeks in summer.")),
        ),
        Proposed(
            "Models are scanned at merge requests",
            BEN.name,
            "required-scan",
            "data",
            _merge_requests("data/models"),
            _YES,  # too late: what the next one does meanwhile makes it stale
            late=True,
        ),
        Proposed(
            "All of data is scanned at merge requests",
            BEN.name,
            "required-scan",
            "data",
            _merge_requests("data/*"),
            _YES,
        ),
        Proposed(
            "The portal may go on while its release waits",
            CLEO.name,
            "policy",
            "web/portal",
            {"rule": [{"name": "look first", "decision": "review", "severity": "high"}]},
            (ANA.name, _break_glass),
        ),
        Proposed(
            "The blog's rules from next week on",
            BEN.name,
            "policy",
            "web/blog",
            {"rule": [{"name": "no hooks", "decision": "block", "kind": "git_hook"}]},
            _YES,
            days=7,
        ),
    )


def day(days: int) -> str:
    """The day in so many days, UTC."""
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)).isoformat()


def make(who: Mapping[str, Client], waived: dict[str, Any], say: Callable[[str], None]) -> None:
    """Those that are not there yet; where one is, but nothing became of it, that follows."""
    places = _places(who[ANA.name])
    known = {one["reason"]: one for one in who[ANA.name].all("/proposals", cursor="before")}
    made = [(one, known.get(one.why) or _propose(one, who[one.who], places)) for one in planned(waived)]
    for one, there in sorted(made, key=lambda pair: pair[0].late):
        if one.then is not None and there["state"] == "open":
            name, act = one.then
            act(who[name], who[name].get(f"/proposals/{there['number']}"))
    for one in who[ANA.name].all("/proposals", cursor="before"):
        say(f"  proposal {one['number']:<3} {one['state']:10} {one['kind']:18} {one['reason']}")


def _places(by: Client) -> dict[str, str]:
    return {
        one["path"]: f"/{kind}/{one['id']}"
        for kind in ("groups", "projects")
        for one in by.get(f"/{kind}")["items"]
    }


def _propose(one: Proposed, by: Client, places: dict[str, str]) -> dict[str, Any]:
    at = None if one.days is None else f"{day(one.days)}T06:00:00Z"
    said = {"kind": one.kind, "document": one.document, "reason": one.why, "apply_at": at}
    made: dict[str, Any] = by.post(f"{places[one.place]}/proposals", said)
    return made
