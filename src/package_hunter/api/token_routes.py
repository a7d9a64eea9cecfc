"""Routes of machines' tokens: those of the server, and one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.api.access_routes import start_of
from package_hunter.api.access_schemas import MadeToken, RoleAt, Why
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, identity_of
from package_hunter.api.identity_schemas import NewToken, OwnToken, TokenInfo, TokenLimits, TokenList
from package_hunter.api.recent import require_recent
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, maybe_time, read, write
from package_hunter.store import accounts, places, tokens
from package_hunter.store.accounts import Start
from package_hunter.store.base import MAX_NAME
from package_hunter.store.members import Place
from package_hunter.store.tokens import Limits

_Name = Annotated[str, Query(max_length=MAX_NAME)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    _of_the_server(router, service)
    _own(router, service)
    return router


def _of_the_server(router: APIRouter, service: Service) -> None:
    @router.get("/tokens", tags=["access"], summary="List tokens, revoked ones too")
    async def list_tokens() -> TokenList:
        return await read(service, lambda s: TokenList(items=[_info(t) for t in tokens.listed(s)]))

    @router.post("/tokens", tags=["access"], summary="Make a token", status_code=201)
    async def add_token(request: Request, new: NewToken) -> MadeToken:
        def change(session: Session) -> MadeToken:
            access = access_to(request)
            start, limits = start_of(session, access, new), _limits(session, access, new, new.owner)
            value = tokens.add_token(session, new.name, start, actor_of(request), new.why, limits)
            return MadeToken(name=new.name, value=value)

        return await write(service, change)

    @router.delete("/tokens", tags=["access"], summary="Revoke a token", status_code=204)
    async def revoke_token(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)
        await write(service, lambda s: tokens.revoke_token(s, name, by, why))


def _own(router: APIRouter, service: Service) -> None:
    @router.get("/me/tokens", tags=["sign-in"], summary="List one's own tokens, revoked ones too")
    async def list_own(request: Request) -> TokenList:
        def look(session: Session) -> TokenList:
            me = accounts.user(session, identity_of(request).account)
            return TokenList(items=[_info(t) for t in tokens.listed(session, me.id)])

        return await read(service, look)

    @router.post(
        "/me/tokens", tags=["sign-in"], summary="Make a token that can what one can", status_code=201
    )
    async def add_own(request: Request, new: OwnToken) -> MadeToken:
        who = require_recent(identity_of(request))

        def change(session: Session) -> MadeToken:
            access = access_to(request)
            limits = _limits(session, access, new, who.account, delegated=True)
            start = Start((), access.home)
            value = tokens.add_token(session, new.name, start, actor_of(request), new.why, limits)
            return MadeToken(name=new.name, value=value)

        return await write(service, change)

    @router.delete("/me/tokens", tags=["sign-in"], summary="Revoke one of one's own tokens", status_code=204)
    async def revoke_own(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)

        def change(session: Session) -> None:
            me = accounts.user(session, identity_of(request).account)
            if name not in {token.name for token in tokens.tokens(session, me.id)}:
                raise places.MissingError(f"There is no token {name!r} of yours.", "")
            tokens.revoke_token(session, name, by, why)

        await write(service, change)


def _limits(
    session: Session, access: Access, asked: TokenLimits, owner: str | None, delegated: bool = False
) -> Limits:
    """UsageError."""
    permissions = None if asked.permissions is None else tuple(asked.permissions)
    where = None
    if asked.projects is not None or asked.groups is not None:
        view, groups = access.view(Permission.PROJECT_READ), access.groups_view(Permission.PROJECT_READ)
        where = (
            *(Place(project=places.project_at(session, view, path)) for path in asked.projects or ()),
            *(Place(group=places.group_at(session, groups, path)) for path in asked.groups or ()),
        )
    return Limits(permissions, where, tokens.expiry(asked.expires_in_days), owner, delegated)


def _info(one: tokens.Listed) -> TokenInfo:
    token = one.token
    return TokenInfo(
        name=token.name,
        created=as_time(token.created),
        last_used=maybe_time(token.last_used),
        revoked=maybe_time(token.revoked),
        expires=maybe_time(token.expires),
        owner=one.owner,
        own=token.delegated,
        roles=[RoleAt(role=role, place=place) for role, place in one.roles],
        permissions=None if one.permissions is None else list(one.permissions),
        places=None if one.places is None else list(one.places),
    )
