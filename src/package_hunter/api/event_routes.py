"""The route that tells of a scan while it runs: server-sent events (HTML Living Standard, 9.2), which go on where they
were broken off."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from package_hunter.access.view import View
from package_hunter.api.allowed import PermittedRoute, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.feed import News
from package_hunter.api.schemas import ScanInfo
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read
from package_hunter.store import scan_events, scans
from package_hunter.store.request_tables import ScanEvent

MEDIA_TYPE = "text/event-stream"
_LASTS_SECONDS = 300.0  # rights are asked for again by who comes back
_QUIET_SECONDS = 15.0  # then a comment shows that the line is alive
_RETRY = b"retry: 2000\n\n"
_NAME = re.compile("[a-z][a-z_]{0,31}")
_EVENT = {
    "type": "object",
    "description": "One event; `data` is JSON.",
    "required": ["event", "data"],
    "properties": {name: {"type": "string"} for name in ("event", "id", "data")},
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `status` (`{status}`), those that the worker names (`{at, text}`, each with its `id`), "
        "and at last `end`: the scan as GET /api/v1/scans/ID has it. A stream lasts five minutes at most.",
        "content": {MEDIA_TYPE: {"schema": _EVENT}},
    }
}


def routes(service: Service) -> APIRouter:
    """The one."""
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute)

    @router.get(
        "/scans/{scan_id}/events",
        tags=["scans"],
        summary="Progress of a scan, as server-sent events",
        description="Comes back with `Last-Event-ID` (browsers do so by themselves): it goes on from there.",
        responses=_STREAM,
        response_class=StreamingResponse,
    )
    async def events(
        request: Request,
        scan_id: str,
        after: Annotated[
            int, Query(ge=0, le=1 << 31, description="For who cannot send Last-Event-ID: the same.")
        ] = 0,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> StreamingResponse:
        view = view_of(request)
        scan = await service.find(scan_id, view)
        start = after if last_event_id is None else _number(last_event_id)
        account: str = request.scope["principal"]
        stream = _stream(service, scan.id, view, account, start)
        first = await anext(stream)  # a refusal is an answer of its own, not half a stream
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(_with(first, stream), media_type=MEDIA_TYPE, headers=headers)

    return router


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ApiError(400, "Last-Event-ID is no number of an event.", "Leave it out to hear all.")
    return int(text)


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _stream(
    service: Service, scan_id: uuid.UUID, view: View, account: str, after: int
) -> AsyncIterator[bytes]:
    """The events; ends with the scan, or after `_LASTS_SECONDS`."""
    end, told = asyncio.get_running_loop().time() + _LASTS_SECONDS, ""
    async with service.feed.follow(scan_id, account, after) as queue:
        yield _RETRY
        for event in await _since(service, scan_id, after):
            after = event.seq
            yield _said(event)
        while True:
            left = end - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(min(_QUIET_SECONDS, max(0.0, left))):
                    news = await queue.get()
            except TimeoutError:
                if left <= _QUIET_SECONDS:
                    return
                yield b":\n\n"
                continue
            if news is None:
                return
            for event in _fresh(news, after):
                after = event.seq
                yield _said(event)
            if news.status not in (told, ""):
                told = news.status
                yield _event("status", {"status": told})
            if told not in scans.UNFINISHED or news.status == "":
                break
    for event in await _since(service, scan_id, after):  # what was said just before the end
        yield _said(event)
    async for piece in _end(service, scan_id, view):
        yield piece


async def _end(service: Service, scan_id: uuid.UUID, view: View) -> AsyncIterator[bytes]:
    try:
        info = ScanInfo.of(await service.find(str(scan_id), view))
    except ApiError:
        return  # deleted
    yield _lines("end", info.model_dump_json())


async def _since(service: Service, scan_id: uuid.UUID, seq: int) -> Sequence[ScanEvent]:
    return await read(service, lambda session: scan_events.after(session, scan_id, seq))


def _fresh(news: News, after: int) -> list[ScanEvent]:
    return [event for event in news.said if event.seq > after]


def _said(event: ScanEvent) -> bytes:
    name = event.kind if _NAME.fullmatch(event.kind) else "step"
    values = {"at": as_time(event.at).isoformat(), "text": event.text}
    return b"id: %d\n" % event.seq + _event(name, values)


def _event(name: str, values: dict[str, Any]) -> bytes:
    return _lines(name, json.dumps(values, ensure_ascii=True))


def _lines(name: str, data: str) -> bytes:
    """JSON has no line breaks of its own."""
    return f"event: {name}\ndata: {data}\n\n".encode()
