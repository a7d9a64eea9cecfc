"""Reports that were looked at lately, parsed: a page shows a part of one, and a large one takes a second to parse.

Whether the account may see a report, and whether it is still the same, is asked of the API each time (its ETag); only
what it would say is kept here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from anyio.to_thread import run_sync
from fastapi import Request

from package_hunter.api.parsed import parsed, uncollected
from package_hunter.report.evidence import Exhibits
from package_hunter.web.inside import Answer, ask, part

_MOST = 24  # reports, those that were made last
_MOST_BYTES = 64 << 20  # of JSON; parsed it takes four times as much


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    size: int
    exhibits: Exhibits


class Shelf:
    """Of one server process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._parsing = asyncio.Semaphore(1)  # of a hundred megabytes, one at a time

    async def of(self, request: Request, scan_id: str) -> Exhibits | None:
        """The report of a scan, ready to be drawn; None while there is none. ApiError where the account may not see
        it."""
        known = self._kept.get(scan_id)
        headers = {} if known is None else {"If-None-Match": known.tag}
        answer = await ask(request, "GET", f"/scans/{part(scan_id)}/report", headers=headers)
        if answer.status == 304 and known is not None:
            return known.exhibits
        if answer.status == 409:
            return None
        if not answer.ok:
            raise answer.error
        return await self._made(scan_id, answer)

    async def _made(self, scan_id: str, answer: Answer) -> Exhibits:
        tag = answer.header("etag") or ""
        async with self._parsing:
            known = self._kept.get(scan_id)
            if known is not None and known.tag == tag:  # by who asked at the same moment
                return known.exhibits
            made = await run_sync(_drawn, answer.body)
            self._keep(scan_id, _Kept(tag, len(answer.body), made))
            return made

    def _keep(self, scan_id: str, kept: _Kept) -> None:
        if not kept.tag or kept.size > _MOST_BYTES:
            return
        self._kept.pop(scan_id, None)
        self._kept[scan_id] = kept
        while len(self._kept) > _MOST or sum(one.size for one in self._kept.values()) > _MOST_BYTES:
            self._kept.popitem(last=False)


def _drawn(body: bytes) -> Exhibits:
    made = Exhibits(parsed(body))
    with uncollected():
        _ = made.marks, made.tree  # what most tabs are drawn from
    return made
