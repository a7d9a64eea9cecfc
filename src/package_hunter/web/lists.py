"""Lists with filters: what an address asks for, and the rows; where the API refuses that, none, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from package_hunter.api.errors import ApiError
from package_hunter.web.export import Listing
from package_hunter.web.inside import ask

_NO_FILTERS = frozenset({"done", "limit"})  # a page, and a file of it, are as long as they are
_MISTYPED = frozenset({400, 404})


@dataclass(frozen=True, slots=True)
class Rows:
    """``items`` of a list; ``next``: where those that follow begin; ``problem``: why there are none."""

    items: list[Any]
    next: str | int | None = None
    problem: ApiError | None = None


def asked(request: Request, listing: Listing, *more: str) -> dict[str, str]:
    """The filters of the address; empty fields of the form are none, nor is ``more``, which the page itself reads.
    What the API does not know, it refuses."""
    left_out = {*_NO_FILTERS, listing.cursor, *more}
    return {name: value for name, value in request.query_params.items() if value and name not in left_out}


async def rows(
    request: Request, listing: Listing, query: Mapping[str, Any], typed: Mapping[str, Any] | None = None
) -> Rows:
    """What the API lists. Refused filters are told, so that the page is shown with them as they were typed
    (``typed``, where that is not all of the query); ApiError where nothing was typed."""
    answer = await ask(request, "GET", listing.path, query)
    if answer.ok:
        said = answer.json()
        return Rows(said[listing.items], said.get("next"))
    if answer.status in _MISTYPED and (query if typed is None else typed):
        return Rows([], None, answer.error)
    raise answer.error
