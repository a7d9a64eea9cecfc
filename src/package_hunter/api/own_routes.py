"""Routes of one's own password and one-time codes, and of an administrator's help with those of others."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.api.access_schemas import Why
from package_hunter.api.allowed import PermittedRoute, actor_of, identity_of
from package_hunter.api.identity_schemas import Confirmation, Enrolment, NewPassword, OneCode, RecoveryCodes
from package_hunter.api.password_check import Claim
from package_hunter.api.recent import require_recent
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, write
from package_hunter.store import accounts, totp
from package_hunter.store.base import MAX_NAME

_Name = Annotated[str, Query(max_length=MAX_NAME)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    _password(router, service)
    _codes(router, service)
    _of_others(router, service)
    return router


def _password(router: APIRouter, service: Service) -> None:
    @router.post(
        "/me/password", tags=["sign-in"], summary="Choose another password; sessions end", status_code=204
    )
    async def password(request: Request, new: NewPassword) -> None:
        by = actor_of(request)
        await service.auth.sign_in(Claim(by.name, new.old, by.origin, new.code))
        await write(service, lambda s: accounts.set_password(s, by.name, new.new, by))


def _codes(router: APIRouter, service: Service) -> None:
    @router.post("/me/totp", tags=["sign-in"], summary="Begin with one-time codes", status_code=201)
    async def begin(request: Request) -> Enrolment:
        who = require_recent(identity_of(request))

        def change(session: Session) -> Enrolment:
            made = totp.begin(session, service.box, accounts.user(session, who.account))
            return Enrolment(secret=made.secret, uri=made.uri)

        return await write(service, change)

    @router.post("/me/totp/confirm", tags=["sign-in"], summary="Put one-time codes in force; sessions end")
    async def confirm(request: Request, given: OneCode) -> RecoveryCodes:
        who, by = require_recent(identity_of(request)), actor_of(request)

        def change(session: Session) -> RecoveryCodes:
            me = accounts.user(session, who.account)
            return RecoveryCodes(codes=totp.confirm(session, service.box, me, given.code, by))

        return await write(service, change)

    @router.post("/me/totp/codes", tags=["sign-in"], summary="New recovery codes")
    async def recovery_codes(request: Request, again: Confirmation) -> RecoveryCodes:
        by = actor_of(request)
        await service.auth.sign_in(Claim(by.name, again.password, by.origin, again.code))

        def change(session: Session) -> RecoveryCodes:
            me = accounts.user(session, by.name)
            return RecoveryCodes(codes=totp.new_recovery_codes(session, me, by))

        return await write(service, change)

    @router.post(
        "/me/totp/remove",
        tags=["sign-in"],
        summary="No one-time codes any more; sessions end",
        status_code=204,
    )
    async def remove(request: Request, again: Confirmation) -> None:
        by = actor_of(request)
        await service.auth.sign_in(Claim(by.name, again.password, by.origin, again.code))
        await write(service, lambda s: totp.remove(s, accounts.user(s, by.name), by))


def _of_others(router: APIRouter, service: Service) -> None:
    @router.delete(
        "/users/totp", tags=["access"], summary="Take a user's one-time codes away", status_code=204
    )
    async def reset(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)
        await write(service, lambda s: totp.remove(s, accounts.user(s, name), by, why))

    @router.delete("/users/lock", tags=["access"], summary="Unlock a user after wrong codes", status_code=204)
    async def unlock(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)
        await write(service, lambda s: totp.unlock(s, accounts.user(s, name), by, why))
