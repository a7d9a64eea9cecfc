"""What a request says beside its body is said once, and means something: who misspells a filter would else be shown
all, and of what is said twice we and a proxy before us might each heed another."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from package_hunter.api.errors import ApiError

_SINGLE = frozenset(
    (
        *(b"authorization", b"content-type", b"content-encoding", b"idempotency-key", b"if-match"),
        *(b"if-none-match", b"last-event-id", b"x-csrf-token"),
        *(
            b"package-hunter-commit",
            b"package-hunter-ref",
            b"package-hunter-merge-request",
            b"package-hunter-base",
        ),
    )
)
"""Headers that routes of ours read: one line each. (Of Content-Length and Host the server sees to it; a list in
If-Match is one line with commas.)"""


def known_to(route: APIRoute) -> dict[str, bool]:
    """The names that the route's query may have, and whether each is a list, which may be given again."""
    names: dict[str, bool] = {}
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {i.alias or name: _is_list(i.annotation) for name, i in kind.model_fields.items()}
        else:
            names[field.alias] = _is_list(kind)
    further: list[dict[str, Any]] = (route.openapi_extra or {}).get("parameters", [])
    return names | {one["name"]: False for one in further if one["in"] == "query"}


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple, set, frozenset) or any(map(_is_list, get_args(kind)))


def check_headers(request: Request) -> None:
    """ApiError 400 where a header that we read comes twice."""
    seen: set[bytes] = set()
    for name, _ in request.scope["headers"]:
        if name in _SINGLE and name in seen:
            raise ApiError(
                400, f"The header {name.decode()} is given twice.", "Send it once.", kind="given-twice"
            )
        seen.add(name)


def check(request: Request, known: Mapping[str, bool]) -> None:
    """ApiError 400 where the query has a name that is not ``known``, or one twice that is no list's."""
    if not request.scope["query_string"]:  # the way of a status poll is short
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1 and known.get(name) is False:
            what = f"The parameter {name!r} is given {times} times."
            raise ApiError(400, what, "Give it once.", kind="given-twice")
        if name in known:
            continue
        near = difflib.get_close_matches(name[:40], known, 1)
        if near:
            advice = f"Did you mean {near[0]!r}?"
        else:
            advice = f"Known here: {', '.join(sorted(known))}." if known else "This route takes none."
        raise ApiError(400, f"There is no parameter {name[:40]!r} here.", advice, kind="unknown-parameter")
