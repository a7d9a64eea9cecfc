"""Routes of the history of changes, and of how its chain stands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.api.allowed import PermittedRoute, view_of
from package_hunter.api.history_schemas import ChainInfo, Entry, EntryList, HistoryQuery
from package_hunter.api.scan_schemas import to_ms
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, maybe_time, read
from package_hunter.audit import standing
from package_hunter.store import history, places
from package_hunter.store.history import Further
from package_hunter.store.history_tables import HistoryRow


def routes(service: Service) -> APIRouter:
    """Both."""
    router = APIRouter(prefix="/api/v1", tags=["access"], responses=WRONG, route_class=PermittedRoute)
    _entries(router, service)
    _chain(router, service)
    return router


def _entries(router: APIRouter, service: Service) -> None:
    @router.get("/history", summary="The history of changes")
    async def history_of_changes(request: Request, asked: Annotated[HistoryQuery, Query()]) -> EntryList:
        view = view_of(request)

        def look(session: Session) -> EntryList:
            rows = history.entries(
                session,
                asked.limit + 1,
                asked.after,
                asked.action,
                asked.who,
                _further(session, view, asked),
            )
            page = rows[: asked.limit]
            more = page[-1].id if len(rows) > asked.limit else None
            places_of = history.positions(session, page)
            return EntryList(items=[_entry(row, places_of.get(row.id)) for row in page], next=more)

        return await read(service, look)


def _further(session: Session, view: View, asked: HistoryQuery) -> Further:
    """MissingError: there is no such project."""
    where = None if asked.project is None else places.project_at(session, view, asked.project).id
    return Further(
        origin=asked.origin,
        object=asked.object,
        project=where,
        since=to_ms(asked.since),
        until=to_ms(asked.until),
        newest_first=asked.order == "newest",
    )


def _entry(row: HistoryRow, position: int | None) -> Entry:
    return Entry(
        id=row.id,
        time=as_time(row.time),
        who=row.who,
        origin=row.origin,
        action=row.action,
        object=row.object,
        project=None if row.project_id is None else str(row.project_id),
        before=row.before,
        after=row.after,
        why=row.why,
        position=position,
    )


def _chain(router: APIRouter, service: Service) -> None:
    @router.get(
        "/history/chain",
        summary="Whether the history is sealed, and fits its seals",
        description="Digests are worked out anew, of the newest entries or of all. Signatures, and seals that were "
        "kept elsewhere, are checked on the server's machine: `package-hunter audit verify`.",
    )
    async def chain(
        whole: Annotated[bool, Query(description="Check all of it: this takes longer.")] = False,
    ) -> ChainInfo:
        return await read(service, lambda s: _standing(standing.of(s, whole)))


def _standing(found: standing.Standing) -> ChainInfo:
    return ChainInfo(
        says=found.says,
        sealed=found.sealed,
        waiting=found.waiting,
        waits_since=maybe_time(found.waits_since),
        last_sealed=maybe_time(found.last_sealed),
        digest=found.digest,
        key=found.key,
        checked=found.checked,
        problems=found.problems,
    )
