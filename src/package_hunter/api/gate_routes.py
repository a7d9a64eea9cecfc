"""Routes of the gate: its word on a commit, what it said before, commits to be fetched, where repositories are."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, view_of
from package_hunter.api.gate_schemas import (
    FetchInfo,
    GateInfo,
    GateList,
    NewFetch,
    NewRepository,
    RepositoryInfo,
    RepositoryList,
)
from package_hunter.api.inventory_schemas import Commit
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import add, as_time, project_of, read
from package_hunter.governance.gate import fetches, origins, record, repositories, watches
from package_hunter.inventory.intake import check_commit
from package_hunter.model.depth import DepthName
from package_hunter.store import places
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.gate_tables import Fetch, GateAnswer

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": Problem,
        "description": "This is no commit, ref, or address of a repository; or too many wait.",
    },
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    404: {"model": Problem, "description": "No project of this path that the account can see."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
_Project = Annotated[
    str | None, Query(max_length=MAX_PATH, description="The project's path; unset: the account's own.")
]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute)
    _ask(router, service)
    _answers(router, service)
    _fetches(router, service)
    _repositories(router, service)
    return router


def _ask(router: APIRouter, service: Service) -> None:
    @router.get(
        "/gate",
        tags=["gate"],
        summary="May this commit go on?",
        description="`pass`, `block`, `review`, or `missing`: no scan counts for it. Only `pass` lets it go on.",
    )
    async def ask(request: Request, commit: Annotated[Commit, Query()], project: _Project = None) -> GateInfo:
        place = await service.target_project(access_to(request), project, Permission.GATE_READ)
        by, depth = actor_of(request), service.settings.depth or DepthName.STANDARD.value

        def look(session: Session) -> GateInfo | None:
            whole = check_commit(commit)
            answer = record.standing(session, project_of(session, place), whole, depth)
            armed = watches.is_armed(session, place, whole)
            return _info(answer) if answer is not None and armed else None

        def give(session: Session) -> GateInfo:
            whole = check_commit(commit)
            answer = record.ask(session, project_of(session, place), whole, by.name, depth)
            watches.watch(session, place, whole)
            return _info(answer)

        known = await read(service, look)
        if known is not None:  # most who ask change nothing
            return known
        return await add(service, give)


def _answers(router: APIRouter, service: Service) -> None:
    @router.get("/gate/answers", tags=["gate"], summary="What the gate answered, newest first")
    async def answers(
        request: Request,
        project: _Project = None,
        commit: Annotated[Commit | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> GateList:
        place = await service.target_project(access_to(request), project, Permission.GATE_READ)
        view = view_of(request)

        def look(session: Session) -> GateList:
            whole = None if commit is None else check_commit(commit)
            found = record.answers(session, view, place, whole, limit)
            return GateList(items=[_info(answer) for answer in found])

        return await read(service, look)


def _info(answer: GateAnswer) -> GateInfo:
    return GateInfo.model_validate(
        {**json.loads(answer.body), "id": str(answer.id), "time": as_time(answer.created)}
    )


def _fetches(router: APIRouter, service: Service) -> None:
    @router.post(
        "/gate/fetches",
        tags=["gate"],
        summary="Have a commit fetched and scanned",
        description="By this server itself, out of the project's repository: such a scan counts for the commit.",
        status_code=202,
    )
    async def fetch(request: Request, new: NewFetch, project: _Project = None) -> FetchInfo:
        place = await service.target_project(access_to(request), project, Permission.SCAN_SUBMIT)
        principal: str = request.scope["principal"]
        await service.admit(principal)

        def change(session: Session) -> FetchInfo:
            origin = origins.check(new.commit, new.ref, new.merge_request, new.base)
            row = fetches.ask(session, project_of(session, place), origin, principal)
            watches.watch(session, place, origin.commit, origin.ref, origin.merge_request)
            return _fetch(row)

        return await add(service, change)


def _fetch(row: Fetch) -> FetchInfo:
    return FetchInfo(
        id=str(row.id),
        commit=row.commit,
        status=row.status,  # type: ignore[arg-type]
        reason=row.reason,
        scan=None if row.scan_id is None else str(row.scan_id),
    )


def _repositories(router: APIRouter, service: Service) -> None:
    @router.get("/repositories", tags=["gate"], summary="Where projects' repositories are")
    async def list_repositories() -> RepositoryList:
        def look(session: Session) -> RepositoryList:
            return RepositoryList(
                items=[
                    RepositoryInfo(
                        project=path, url=row.url, external=row.external, status_check=row.status_check
                    )
                    for path, row in repositories.every(session)
                ]
            )

        return await read(service, look)

    @router.post(
        "/repositories", tags=["gate"], summary="Say where a project's repository is", status_code=201
    )
    async def bind(request: Request, new: NewRepository) -> None:
        by, view = actor_of(request), access_to(request).view(Permission.PROJECT_READ)

        def change(session: Session) -> None:
            project = places.project_at(session, view, new.project)
            where = repositories.Place(new.url, new.external, new.status_check)
            repositories.bind(session, service.forges, project, where, by, new.why)

        await add(service, change)

    @router.delete(
        "/repositories", tags=["gate"], summary="A project has no repository any more", status_code=204
    )
    async def forget(
        request: Request,
        project: Annotated[str, Query(max_length=MAX_PATH)],
        why: Annotated[str | None, Query(max_length=2_000)] = None,
    ) -> None:
        by, view = actor_of(request), access_to(request).view(Permission.PROJECT_READ)

        def change(session: Session) -> None:
            found = places.project_at(session, view, project)
            repositories.forget(session, found, by, why)

        await add(service, change)
