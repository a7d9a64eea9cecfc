"""A package: what each version did, verdicts of its files, which projects hold it; and the way to look one up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.service import Service
from package_hunter.report import words
from package_hunter.web import export
from package_hunter.web.inside import ask, get, get_or, part
from package_hunter.web.page import PageRoute, show, to

_COLUMNS = 10  # versions beside each other, the newest
_ROWS = 300
_LOOKED_AT = ("malicious", "suspicious", "no_findings", "judged_by_sibling")
_WAYS = {
    "digest": "a file's digest",
    "host": "a host that was contacted",
    "fingerprint": "a finding's fingerprint",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A version; ``judged``: something is known of what it does."""

    version: str
    judged: bool


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/packages")
    async def search(request: Request) -> Response:
        asked = request.query_params.get("q", "").strip()
        if asked.startswith("pkg:"):
            return to(f"/packages/{part(asked)}")
        values: dict[str, Any] = {"q": asked, "by": "", "found": None, "words": words}
        if not asked:
            return show(request, "packages", values)
        by = _kind_of(asked)
        answer = await ask(request, "GET", "/who-has", {by: asked})
        values |= {"by": _WAYS[by], "found": answer.json() if answer.ok else None}
        return show(request, "packages", values, problem=None if answer.ok else answer.error)

    @router.get("/packages/{purl:path}")
    async def page(request: Request, purl: str) -> Response:
        answer = await ask(request, "GET", f"/packages/{part(purl)}")
        if not answer.ok:
            if answer.status != 400:
                raise answer.error
            return show(
                request,
                "packages",
                {"q": purl, "by": "", "found": None, "words": words},
                problem=answer.error,
            )
        return await _page(request, purl, answer.json()["items"])

    return router


async def _page(request: Request, purl: str, files: list[dict[str, Any]]) -> Response:
    nothing: dict[str, Any] = {"items": [], "projects": 0}
    behaved = await get_or(request, "/behaviours", nothing, {"purl": purl})
    rows = behaved["items"]
    base = behaved.get("purl", purl)
    every = (await get(request, f"/packages/{part(base)}"))["items"] if base != purl else files
    columns = _columns(every, rows)
    return show(
        request,
        "package",
        {
            "purl": purl,
            "base": base,
            "files": files[:_ROWS],
            "columns": columns[-_COLUMNS:],
            "hidden": max(0, len(columns) - _COLUMNS),
            "rows": [{**row, "came": _came(columns, row)} for row in rows[:_ROWS]],
            "more": max(0, len(rows) - _ROWS),
            "has": await get_or(request, "/who-has", nothing, {"purl": purl}),
            "scans": (await get_or(request, "/scans", {"scans": []}, {"package": base, "limit": 20}))[
                "scans"
            ],
            "all_scans": export.address("/scans", {"package": base}),
            "words": words,
        },
    )


def _kind_of(asked: str) -> str:
    """What else may be looked for: a digest, a fingerprint, else a host."""
    bare = asked.lower()
    if re.fullmatch(r"[0-9a-f]{32}", bare):
        return "fingerprint"
    is_digest = re.match(r"sha-?(256|384|512)[-:=]", bare) or re.fullmatch(r"[0-9a-f]{64,128}", bare)
    return "digest" if is_digest else "host"


def _columns(files: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> list[Column]:
    """All versions, as they follow each other."""
    judged: dict[str, bool] = {}
    for file in files:
        judged[file["version"]] = judged.get(file["version"], False) or file["verdict"] in _LOOKED_AT
    for row in rows:
        judged |= dict.fromkeys(row["versions"], True)
    return [Column(version, judged[version]) for version in sorted(judged, key=in_order) if version]


def _came(columns: Iterable[Column], row: dict[str, Any]) -> str:
    """The first version that showed it, where an earlier one is known not to have; else empty."""
    before = False
    for one in columns:
        if one.version in row["versions"]:
            return one.version if before else ""
        before = before or one.judged
    return ""


def in_order(version: str) -> list[tuple[int, int, str]]:
    """What versions are sorted by: numbers as such; what leads to a release (``1.0.0-rc1``, ``1.0a2``) before it."""
    parts = re.findall(r"\d+|[a-zA-Z]+", version)[:30]
    found = [(1, int(p), "") if p.isdigit() and len(p) < 19 else (-1, 0, p) for p in parts]
    return [*found, (0, 0, "")]
