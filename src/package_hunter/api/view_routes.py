"""Routes of the lists of findings that somebody keeps for himself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute, actor_of
from package_hunter.api.errors import ApiError
from package_hunter.api.finding_schemas import ListQuery
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, read, write
from package_hunter.store.view_tables import MAX_VIEW_NAME, MAX_VIEW_QUERY, SavedView
from package_hunter.triage import saved

_Name = Annotated[str, Field(min_length=1, max_length=MAX_VIEW_NAME, examples=["crypto of the web group"])]


class NewView(BaseModel):
    """A list to be kept."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    query: str = Field(
        max_length=MAX_VIEW_QUERY,
        description="Parameters of `GET /api/v1/findings`, as its address has them.",
        examples=["state=needs_triage&severity=high"],
    )


class ViewInfo(BaseModel):
    """A list that is kept."""

    name: str
    query: str
    created: datetime


class ViewList(BaseModel):
    """One's own, by name."""

    items: list[ViewInfo]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute, tags=["findings"])

    @router.get("/me/views", summary="The lists of findings that one keeps")
    async def views(request: Request) -> ViewList:
        who = actor_of(request).name

        def look(session: Session) -> ViewList:
            return ViewList(items=[_info(row) for row in saved.listed(session, who)])

        return await read(service, look)

    @router.put("/me/views", summary="Keep a list of findings under a name")
    async def keep(request: Request, new: NewView) -> ViewInfo:
        query, who = _checked(new.query), actor_of(request).name
        return await write(service, lambda s: _info(saved.keep(s, who, new.name, query)))

    @router.delete("/me/views", summary="Keep a list no longer", status_code=204)
    async def forget(request: Request, name: Annotated[_Name, Query()]) -> None:
        who = actor_of(request).name
        await write(service, lambda s: saved.forget(s, who, name))

    return router


def _checked(query: str) -> str:
    """The query as it is kept: what the list of findings takes, without a place in it; ApiError 400."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=30)
        said = dict(pairs)
        if len(said) < len(pairs):
            raise ValueError("said twice")
        asked = ListQuery.model_validate(said)
    except ValueError as error:
        advice = "Give the query of a list that GET /api/v1/findings answers."
        raise ApiError(400, "These are no filters of findings.", advice) from error
    kept = asked.model_dump(mode="json", exclude_unset=True, exclude={"after", "limit"})
    return urlencode(
        {key: str(value).lower() if isinstance(value, bool) else value for key, value in kept.items()}
    )


def _info(row: SavedView) -> ViewInfo:
    return ViewInfo(name=row.name, query=row.query, created=as_time(row.created))
