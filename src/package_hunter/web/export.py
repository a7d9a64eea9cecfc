"""A list as a file: the rows that the page's filters leave, all of them, out of the same query."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import StreamingResponse

from package_hunter.model.text import visible
from package_hunter.web.inside import get, pairs

MOST_ROWS = 100_000
"""Of one file; what is beyond is told in its last line."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes what begins so (OWASP, CSV injection)
Columns = Sequence[tuple[str, Callable[[Mapping[str, Any]], Any]]]
"""Title, and what stands there of an item of the API's list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the API: its path, what its rows are called there, and the parameter that takes its ``next``."""

    path: str
    items: str = "items"
    cursor: str = "after"


async def as_csv(
    request: Request, listing: Listing, query: Mapping[str, Any], columns: Columns, name: str
) -> StreamingResponse:
    """All rows of it as a file of this ``name``. ApiError: the query is refused."""
    limit = {"limit": 200}
    first = await get(request, listing.path, {**query, **limit})

    async def lines() -> AsyncIterator[str]:
        yield _line([title for title, _ in columns])
        page, rows = first, 0
        while True:
            for item in page[listing.items]:
                yield _line([take(item) for _, take in columns])
            rows += len(page[listing.items])
            if not page["next"]:
                return
            if rows >= MOST_ROWS:
                yield _line([f"There are more than {MOST_ROWS} rows: narrow the filters."])
                return
            page = await get(request, listing.path, {**query, **limit, listing.cursor: page["next"]})

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(lines(), headers=headers, media_type="text/csv; charset=utf-8")


def _line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([cell(value) for value in values])
    return text.getvalue()


def cell(value: Any) -> str:
    """A value as a cell: one line, nothing unseen in it, and no formula."""
    if value is None:
        return ""
    text = visible(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def address(path: str, query: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> str:
    """A path with a query, for a link."""
    said = urlencode(pairs(query), doseq=True)
    return f"{path}?{said}" if said else path
