"""Routes of people, projects and roles."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, Role
from package_hunter.access.view import Access
from package_hunter.api.access_schemas import (
    AccountInfo,
    AccountList,
    AccountName,
    Me,
    MemberInfo,
    MemberList,
    NewMember,
    NewPlace,
    NewUser,
    PlaceInfo,
    PlaceList,
    RoleAt,
    StartRole,
    Why,
)
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, forbidden, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.api.transactions import (
    WRONG,
    PlaceOf,
    as_time,
    everywhere,
    group_place,
    maybe_time,
    project_of,
    project_place,
    read,
    write,
)
from package_hunter.governance.proposals.alone import require_alone_for, require_alone_for_start
from package_hunter.store import accounts, members, people, places, totp
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.base import MAX_NAME
from package_hunter.store.members import Place
from package_hunter.store.sessions import Times


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    _me(router, service)
    _projects(router, service)
    _groups(router, service)
    _members(router, service, "/projects/{project_id}/members", project_place)
    _members(router, service, "/groups/{group_id}/members", group_place)
    _members(router, service, "/members", everywhere)
    _users(router, service)
    return router


def _me(router: APIRouter, service: Service) -> None:
    @router.get("/me", tags=["access"], summary="Who asks, and what that account may do")
    async def me(request: Request) -> Me:
        access = access_to(request)

        def look(session: Session) -> Me:
            homes = places.projects(session, access.view(Permission.PROJECT_READ))
            home = next((p.path for p in homes if p.id == access.home), None)
            roles = [RoleAt(role=r, place=p) for r, p in members.roles_of(session, access.principal)]
            who = members.account(session, access.principal)
            return Me(
                account=access.principal,
                home=home,
                roles=roles,
                everywhere=sorted(access.everywhere),
                codes=who is not None and totp.is_on(session, who),
            )

        return await read(service, look)


def _projects(router: APIRouter, service: Service) -> None:
    @router.get("/projects", tags=["access"], summary="List projects")
    async def list_projects(request: Request) -> PlaceList:
        view = view_of(request)
        return await read(service, lambda s: _place_list(places.projects(s, view)))

    @router.post("/projects", tags=["access"], summary="Make a project", status_code=201)
    async def add_project(request: Request, new: NewPlace) -> PlaceInfo:
        by = actor_of(request)
        return await write(service, lambda s: _place_info(places.add_project(s, new.path, by, new.why)))

    @router.get("/projects/{project_id}", tags=["access"], summary="A project")
    async def project(request: Request, project_id: str) -> PlaceInfo:
        return await read(service, lambda s: _place_info(project_of(s, request.state.place)))


def _groups(router: APIRouter, service: Service) -> None:
    @router.get("/groups", tags=["access"], summary="List groups")
    async def list_groups(request: Request) -> PlaceList:
        view = access_to(request).groups_view(Permission.PROJECT_READ)
        return await read(service, lambda s: _place_list(places.groups(s, view)))

    @router.post("/groups", tags=["access"], summary="Make a group", status_code=201)
    async def add_group(request: Request, new: NewPlace) -> PlaceInfo:
        by = actor_of(request)
        return await write(service, lambda s: _place_info(places.add_group(s, new.path, by, new.why)))


def _members(router: APIRouter, service: Service, path: str, place_of: PlaceOf) -> None:
    where = path.strip("/").split("/")[0]
    tail = "everywhere" if where == "members" else f"in a {where.removesuffix('s')}"

    @router.get(path, tags=["access"], summary=f"Who has which role {tail}")
    async def list_members(request: Request) -> MemberList:
        def look(session: Session) -> MemberList:
            rows = members.members(session, place_of(session, request))
            items = [MemberInfo(account=name, role=role, since=as_time(ms)) for name, role, ms in rows]
            return MemberList(items=items)

        return await read(service, look)

    @router.post(path, tags=["access"], summary=f"Give a role {tail}", status_code=201)
    async def add_member(request: Request, new: NewMember) -> None:
        def change(session: Session) -> None:
            place = place_of(session, request)
            _require_own(access_to(request), new.role, place)
            require_alone_for(session, new.role, new.account, place)
            members.give(session, new.account, new.role, place, actor_of(request), new.why)

        await write(service, change)

    @router.delete(path, tags=["access"], summary=f"Take a role away {tail}", status_code=204)
    async def remove_member(
        request: Request,
        account: Annotated[AccountName, Query()],
        role: Annotated[Role, Query()],
        why: Annotated[Why, Query()] = None,
    ) -> None:
        def change(session: Session) -> None:
            place = place_of(session, request)
            _require_own(access_to(request), role, place)
            require_alone_for(session, role, account, place)
            members.take(session, account, role, place, actor_of(request), why)

        await write(service, change)


def _require_own(access: Access, role: Role, place: Place) -> None:
    """Who may not give any role gives none above his own rights; ApiError 403."""
    if access.may(Permission.ROLE_MANAGE):
        return
    if place.project is not None:
        held = access.everywhere | access.projects.get(place.project.id, frozenset())
    elif place.group is not None:
        held = access.everywhere | access.groups.get(place.group.id, frozenset())
    else:
        raise forbidden(Permission.ROLE_MANAGE)
    if not {p for p in ROLES[role] if p.in_projects} <= held:  # the others mean nothing there
        raise ApiError(403, f"The role {role.value} goes beyond what this account may do there.")


def _users(router: APIRouter, service: Service) -> None:
    @router.get("/users", tags=["access"], summary="List users")
    async def list_users() -> AccountList:
        def look(session: Session) -> AccountList:
            found = people.listed(session, Times.of(service.settings))
            return AccountList(items=[_user_info(one) for one in found])

        return await read(service, look)

    @router.post("/users", tags=["access"], summary="Make a user", status_code=201)
    async def add_user(request: Request, new: NewUser) -> None:
        def change(session: Session) -> None:
            start = start_of(session, access_to(request), new)
            require_alone_for_start(session, start)
            accounts.add_user(session, new.name, new.password, start, actor_of(request), new.why)

        await write(service, change)

    @router.delete("/users", tags=["access"], summary="Remove a user", status_code=204)
    async def remove_user(
        request: Request,
        name: Annotated[str, Query(max_length=MAX_NAME)],
        why: Annotated[Why, Query()] = None,
    ) -> None:
        by = actor_of(request)
        await write(service, lambda s: accounts.remove_user(s, name, by, why))


def _user_info(one: people.Listed) -> AccountInfo:
    return AccountInfo(
        name=one.name,
        created=as_time(one.created),
        roles=[RoleAt(role=role, place=place) for role, place in one.roles],
        password=one.password,
        codes=one.codes,
        locked=maybe_time(one.locked),
        sessions=one.sessions,
        seen=maybe_time(one.seen),
        providers=list(one.providers),
    )


class _New(Protocol):
    @property
    def roles(self) -> list[StartRole]: ...
    @property
    def home(self) -> str: ...


def start_of(session: Session, access: Access, new: _New) -> accounts.Start:
    """What a new account begins with; ApiError 403, MissingError."""
    view, grants = access.view(Permission.PROJECT_READ), []
    for asked in new.roles:
        place = _place(session, access, asked)
        _require_own(access, asked.role, place)
        grants.append(accounts.Grant(asked.role, place))
    return accounts.Start(tuple(grants), places.project_at(session, view, new.home).id)


def _place(session: Session, access: Access, asked: StartRole) -> Place:
    if asked.project is not None and asked.group is not None:
        raise ApiError(400, "A role is held in a project or in a group, not both.", "Name one of them.")
    if asked.project is not None:
        return Place(project=places.project_at(session, access.view(Permission.PROJECT_READ), asked.project))
    if asked.group is not None:
        view = access.groups_view(Permission.PROJECT_READ)
        return Place(group=places.group_at(session, view, asked.group))
    return Place()


def _place_list(found: Any) -> PlaceList:
    return PlaceList(items=[_place_info(place) for place in found])


def _place_info(place: Project | Group) -> PlaceInfo:
    return PlaceInfo(id=str(place.id), path=place.path, created=as_time(place.created))
