"""Routes of sign-in: sessions for browsers, and the one-time links by which an account gets its password."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.api import cookies
from package_hunter.api.access_routes import start_of
from package_hunter.api.access_schemas import Why
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of, identity_of
from package_hunter.api.errors import ApiError
from package_hunter.api.identity_schemas import (
    Confirmation,
    Ended,
    Invitation,
    NewInvitation,
    OwnSession,
    SessionInfo,
    SessionList,
    SignIn,
    Taken,
    TakenInvitation,
)
from package_hunter.api.password_check import Claim
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, read, write
from package_hunter.governance.proposals.alone import require_alone_for_start
from package_hunter.store import accounts, invitations, members, sessions, totp
from package_hunter.store.access_tables import Account
from package_hunter.store.base import MAX_NAME
from package_hunter.store.identity_tables import SessionRow
from package_hunter.store.places import MissingError
from package_hunter.store.sessions import Times


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    _sign_in(router, service)
    _current(router, service)
    _all(router, service)
    _invitations(router, service)
    return router


def _sign_in(router: APIRouter, service: Service) -> None:
    @router.post("/session", tags=["sign-in"], summary="Sign in with a password", status_code=201)
    async def sign_in(request: Request, response: Response, who: SignIn) -> OwnSession:
        by = Actor(who.name, _address(request))
        await service.auth.sign_in(Claim(who.name, who.password, by.origin, who.code))

        def change(session: Session) -> sessions.Begun:
            account = accounts.user(session, who.name)
            method = "password and code" if totp.is_on(session, account) else "password"
            return begin_session(session, service, request, account, method)

        begun = await write(service, change)
        set_cookie(service, request, response, begun.secret)
        return _own(begun.row, who.name)


def begin_session(
    session: Session, service: Service, request: Request, account: Account, method: str
) -> sessions.Begun:
    """A new session for who has just signed in. One that the browser had ends: its secret may be known to whoever put
    it there."""
    times, by = Times.of(service.settings), Actor(account.name, _address(request))
    headers = dict(request.scope["headers"])
    old = cookies.session_secret(headers, cookies.is_secure(request.scope, service.settings.public_url))
    live = None if old is None else sessions.find(session, old, times)
    if live is not None:
        session.delete(live.row)
        session.flush()
    return sessions.begin(session, account, method, times, by, request.headers.get("user-agent", ""))


def set_cookie(service: Service, request: Request, response: Response, secret: str) -> None:
    """Give the browser the session's secret; an empty one: take it away."""
    secure = cookies.is_secure(request.scope, service.settings.public_url)
    seconds = service.settings.session_seconds if secret else 0
    response.headers.append("set-cookie", cookies.session_cookie(secret, seconds, secure))


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _current(router: APIRouter, service: Service) -> None:
    @router.get("/session", tags=["sign-in"], summary="The session that asks")
    async def session(request: Request) -> OwnSession:
        key = _session_of(request)

        def look(db: Session) -> OwnSession:
            row = db.get(SessionRow, key)
            if row is None:
                raise MissingError("The session has ended.", "")
            return _own(row, identity_of(request).account)

        return await read(service, look)

    @router.delete("/session", tags=["sign-in"], summary="Sign out", status_code=204)
    async def sign_out(request: Request, response: Response) -> None:
        key, by = _session_of(request), actor_of(request)
        await write(service, lambda s: sessions.end(s, accounts.user(s, by.name), key, by))
        set_cookie(service, request, response, "")

    @router.post("/session/confirm", tags=["sign-in"], summary="Show once more who one is", status_code=204)
    async def confirm(request: Request, again: Confirmation) -> None:
        key, by = _session_of(request), actor_of(request)
        await service.auth.sign_in(Claim(by.name, again.password, by.origin, again.code))
        await write(service, lambda s: sessions.confirmed(s, key, by, "password"))


def _session_of(request: Request) -> uuid.UUID:
    found = identity_of(request).session
    if found is None:
        raise ApiError(404, "This request has no session.", "Sign in: POST /api/v1/session.")
    return found


def _all(router: APIRouter, service: Service) -> None:
    @router.get("/sessions", tags=["sign-in"], summary="One's own sessions")
    async def list_sessions(request: Request) -> SessionList:
        who = identity_of(request)

        def look(db: Session) -> SessionList:
            rows = sessions.of_account(db, accounts.user(db, who.account), Times.of(service.settings))
            return SessionList(items=[_info(row, who.account, row.id == who.session) for row in rows])

        return await read(service, look)

    @router.delete("/sessions", tags=["sign-in"], summary="End all one's other sessions")
    async def end_others(request: Request) -> Ended:
        who, by = identity_of(request), actor_of(request)

        def change(db: Session) -> Ended:
            me = accounts.user(db, who.account)
            return Ended(ended=sessions.end_all(db, me, by, but=who.session))

        return await write(service, change)

    @router.delete("/sessions/{session_id}", tags=["sign-in"], summary="End a session", status_code=204)
    async def end_one(request: Request, session_id: uuid.UUID) -> None:
        by = actor_of(request)
        await write(service, lambda s: sessions.end(s, accounts.user(s, by.name), session_id, by))

    @router.delete("/users/sessions", tags=["access"], summary="End all sessions of a user")
    async def end_of_user(
        request: Request,
        name: Annotated[str, Query(max_length=MAX_NAME)],
        why: Annotated[Why, Query()] = None,
    ) -> Ended:
        by = actor_of(request)

        def change(db: Session) -> Ended:
            return Ended(ended=sessions.end_all(db, accounts.user(db, name), by, why=why))

        return await write(service, change)


def _invitations(router: APIRouter, service: Service) -> None:
    @router.post(
        "/invitation", tags=["sign-in"], summary="Take an invitation: choose a password", status_code=201
    )
    async def take(request: Request, response: Response, taken: TakenInvitation) -> Taken:
        origin = _address(request)

        def change(session: Session) -> tuple[str, sessions.Begun | None]:
            account = invitations.take(session, taken.token, taken.name, taken.password, origin)
            if totp.is_on(session, account):
                return account.name, None  # the link shows no more than a password would
            return account.name, begin_session(session, service, request, account, "invitation")

        try:
            name, begun = await write(service, change)
        except ApiError as error:
            if error.status == 404:
                service.auth.stranger(origin)
            raise
        if begun is None:
            return Taken(account=name, session=None)
        set_cookie(service, request, response, begun.secret)
        return Taken(account=name, session=_own(begun.row, name))

    @router.post("/users/invitations", tags=["access"], summary="Invite a user", status_code=201)
    async def invite(request: Request, new: NewInvitation) -> Invitation:
        by = actor_of(request)

        def change(session: Session) -> str:
            if members.account(session, new.name) is not None:
                there = accounts.user(session, new.name)
                return invitations.invite_again(session, there, by, new.hours, new.why)
            start = start_of(session, access_to(request), new)
            require_alone_for_start(session, start)
            return invitations.invite(session, new.name, start, by, new.hours, new.why)

        secret = await write(service, change)
        return Invitation(token=secret, url=invitations.link(service.settings.public_url, secret))


def _own(row: SessionRow, account: str) -> OwnSession:
    return OwnSession(**_info(row, account, current=True).model_dump(), csrf=row.csrf)


def _info(row: SessionRow, account: str, current: bool) -> SessionInfo:
    return SessionInfo(
        id=str(row.id),
        account=account,
        method=row.method,
        origin=row.origin,
        agent=row.agent,
        created=as_time(row.created),
        seen=as_time(row.seen),
        authenticated=as_time(row.authenticated),
        ends=as_time(row.ends),
        current=current,
    )
