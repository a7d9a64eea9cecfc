"""A parameter that means nothing is refused: who misspells a filter would else be shown all, and think it was asked."""

from __future__ import annotations

import difflib
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from package_hunter.api.errors import ApiError


def known_to(route: APIRoute) -> frozenset[str]:
    """The names that the route's query may have."""
    names: set[str] = set()
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {info.alias or name for name, info in kind.model_fields.items()}
        else:
            names.add(field.alias)
    further: list[dict[str, Any]] = (route.openapi_extra or {}).get("parameters", [])
    return frozenset(names) | {one["name"] for one in further if one["in"] == "query"}


def check(request: Request, known: frozenset[str]) -> None:
    """ApiError 400 where the query has a name that is not ``known``."""
    if not request.scope["query_string"]:  # the way of a status poll is short
        return
    for name in request.query_params:
        if name in known:
            continue
        near = difflib.get_close_matches(name[:40], known, 1)
        if near:
            advice = f"Did you mean {near[0]!r}?"
        else:
            advice = f"Known here: {', '.join(sorted(known))}." if known else "This route takes none."
        raise ApiError(400, f"There is no parameter {name[:40]!r} here.", advice, kind="unknown-parameter")
