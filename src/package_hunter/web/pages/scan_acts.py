"""What is done with a scan: the forms of its page, each one act of the API."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.web.inside import Answer, ask, part
from package_hunter.web.page import field, to


class Page(Protocol):
    """Shows the scan's page again, with what was refused."""

    async def __call__(
        self, request: Request, scan_id: str, tab: str = "", problem: ApiError | None = None
    ) -> Response:
        """A tab of it."""


def add(router: APIRouter, page: Page) -> None:
    """The routes."""

    async def done(request: Request, scan_id: str, answer: Answer, told: str, tab: str = "") -> Response:
        if not answer.ok:
            return await page(request, scan_id, tab, answer.error)
        return to(f"/scans/{part(scan_id)}{'/' + tab if tab else ''}", told)

    @router.post("/scans/{scan_id}/cancel")
    async def cancel(request: Request, scan_id: str) -> Response:
        answer = await _act(request, scan_id, "cancel", {"why": field(request, "why")})
        return await done(request, scan_id, answer, "scan-cancelled")

    @router.post("/scans/{scan_id}/rescan")
    async def rescan(request: Request, scan_id: str) -> Response:
        depth = field(request, "depth")
        answer = await _act(request, scan_id, "rescan", {"depth": depth} if depth else {})
        new = answer.json()["id"] if answer.ok else scan_id
        return await done(request, new, answer, "scan-again")

    @router.post("/scans/{scan_id}/rerun")
    async def rerun(request: Request, scan_id: str) -> Response:
        return await done(request, scan_id, await _act(request, scan_id, "rerun", {}), "scan-rerun")

    @router.post("/scans/{scan_id}/rejudge")
    async def rejudge(request: Request, scan_id: str) -> Response:
        answer = await _act(request, scan_id, "rejudge", None)
        return await done(request, scan_id, answer, "scan-rejudge", "keep")

    @router.post("/scans/{scan_id}/bundle")
    async def bundle(request: Request, scan_id: str) -> Response:
        answer = await _act(request, scan_id, "bundle", None)
        return await done(request, scan_id, answer, "bundle-asked", "keep")

    _keeping(router, page)


def _keeping(router: APIRouter, page: Page) -> None:
    @router.post("/scans/{scan_id}/hold")
    async def hold(request: Request, scan_id: str) -> Response:
        answer = await _act(request, scan_id, "holds", {"why": field(request, "why")})
        if not answer.ok:
            return await page(request, scan_id, "keep", answer.error)
        return to(f"/scans/{part(scan_id)}/keep", "hold-set")

    @router.post("/scans/{scan_id}/lift")
    async def lift(request: Request, scan_id: str) -> Response:
        path = f"/holds/{part(field(request, 'hold'))}"
        answer = await ask(request, "DELETE", path, {"why": field(request, "why")})
        if not answer.ok:
            return await page(request, scan_id, "keep", answer.error)
        return to(f"/scans/{part(scan_id)}/keep", "hold-lifted")

    @router.post("/scans/{scan_id}/delete")
    async def delete(request: Request, scan_id: str) -> Response:
        query = {"why": field(request, "why"), "force": "true" if field(request, "force") else None}
        answer = await ask(request, "DELETE", f"/scans/{part(scan_id)}", query)
        if not answer.ok:
            return await page(request, scan_id, "keep", answer.error)
        return to("/scans", "scan-deleted")


async def _act(request: Request, scan_id: str, verb: str, body: object) -> Answer:
    return await ask(request, "POST", f"/scans/{part(scan_id)}/{verb}", body=body)
