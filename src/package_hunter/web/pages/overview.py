"""What needs a person now, each figure with the list behind it; and how the last weeks went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.allowed import access_to
from package_hunter.api.service import Service
from package_hunter.governance.overview.waiting import SOON
from package_hunter.web import charts
from package_hunter.web.charts import Chart, Series
from package_hunter.web.export import address
from package_hunter.web.inside import get
from package_hunter.web.page import PageRoute, show
from package_hunter.web.pages.findings import WAITS

_AGES: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("under_1", "younger than a day", {"newer_than": 1}),
    ("under_7", "up to a week", {"older_than": 1, "newer_than": 7}),
    ("under_30", "up to a month", {"older_than": 7, "newer_than": 30}),
    ("older", "older than a month", {"older_than": 30}),
)
_VERDICTS = ("malicious", "suspicious", "inconclusive", "no_findings", "failed")


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/overview")
    async def page(request: Request) -> Response:
        seen = await get(request, "/overview")
        weeks = seen["weeks"]
        values = {
            "seen": seen,
            "ages": [
                (label, seen["untriaged"][key], address("/findings", {**WAITS, **ages}))
                for key, label, ages in _AGES
            ],
            "waits": sum(seen["untriaged"].values()),
            "lists": _lists(seen, access_to(request).principal),
            "soon": SOON,
            "verdicts": _verdicts(weeks),
            "answers": _medians(weeks, "answer_seconds", "scan", " s", "/scans"),
            "decisions": _medians(weeks, "decision_hours", "person", " h", "/findings"),
            "weeks": [{**one, "href": _href(one)} for one in reversed(weeks)],
            "calm": _calm(seen),
        }
        return show(request, "overview", values)

    return router


def _lists(seen: Mapping[str, Any], account: str) -> dict[str, str]:
    """The list behind each figure."""
    since = _moment(seen["since"])
    return {
        "waits": address("/findings", {**WAITS, "order": "severity"}),
        "mine": address("/findings", {"claimed_by": account}),
        "expiring": address("/findings", {"expires_in": SOON}),
        "expired": address("/findings", {"asks": "expired"}),
        "inconclusive": address("/scans", {"verdict": "inconclusive", "since": since}),
        "failed": address("/scans", {"status": "failed", "since": since}),
        "to_approve": address("/proposals", {"waiting": "true"}),
        "unreviewed": address("/proposals", {"unreviewed": "true"}),
    }


def _calm(seen: Mapping[str, Any]) -> bool:
    """Whether nothing waits for anybody."""
    workers = seen["workers"] or {"lost": [], "unfit": []}
    figures = ("expiring", "expired", "inconclusive", "failed", "to_approve", "unreviewed")
    waits = [seen["stopped"]["count"], *seen["untriaged"].values(), *(seen[name] for name in figures)]
    return not any([*waits, *workers["lost"], *workers["unfit"]])


def _moment(text: str) -> str:
    """As the filters of a list take it."""
    return f"{datetime.fromisoformat(text):%Y-%m-%dT%H:%M:%S}"


def _day(week: Mapping[str, Any]) -> str:
    return f"{datetime.fromisoformat(week['begin']):%-d %b}"


def _href(week: Mapping[str, Any]) -> str:
    begin = datetime.fromisoformat(week["begin"])
    until = begin + timedelta(days=7)
    return address("/scans", {"since": _moment(begin.isoformat()), "until": _moment(until.isoformat())})


def _verdicts(weeks: Sequence[Mapping[str, Any]]) -> Chart:
    series = [Series(name, name.replace("_", " "), [one[name] for one in weeks]) for name in _VERDICTS]
    says = [
        f"Week from {_day(one)}: " + ", ".join(f"{one[name]} {name.replace('_', ' ')}" for name in _VERDICTS)
        for one in weeks
    ]
    return charts.chart(series, says, [_href(one) for one in weeks], [_day(one) for one in weeks])


def _medians(weeks: Sequence[Mapping[str, Any]], key: str, name: str, unit: str, path: str) -> Chart:
    says = [
        f"Week from {_day(one)}: " + ("none" if one[key] is None else f"{one[key]:.3g}{unit}")
        for one in weeks
    ]
    hrefs = [_href(one) if path == "/scans" else path for one in weeks]
    line = Series(name, name, [one[key] for one in weeks])
    return charts.chart([line], says, hrefs, [_day(one) for one in weeks], unit)
