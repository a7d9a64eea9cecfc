"""Every route asks here first: may this account, there? What it may not see is not there (404). And all that our own
routes have in common: the pace of an account, parameters that are none, requests that are sent twice, entity tags."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message

from package_hunter.access.actor import Actor
from package_hunter.access.identity import Identity
from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access, View, unlimited
from package_hunter.api import etags, idempotency, queries
from package_hunter.api.errors import ApiError, read_json
from package_hunter.api.pace import Pace
from package_hunter.api.permits import BY_ROUTE, Permit, Where
from package_hunter.api.problems import is_of_v1
from package_hunter.api.schemas import Problem
from package_hunter.governance.proposals import people, views
from package_hunter.governance.proposals.views import Sight
from package_hunter.store import members
from package_hunter.store.database import Store
from package_hunter.store.places import MissingError

MAX_BODY = 2 << 20  # of what is no archive
_MAX_CACHED = 10_000
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Accesses:
    """What accounts may do, remembered for ``seconds`` as verified credentials are; who changes something is looked
    up anew."""

    def __init__(self, store: Store, seconds: float, development: bool) -> None:
        self._store = store
        self._seconds = seconds
        self._development = development
        self._known: dict[str, tuple[float, Access]] = {}

    async def of(self, who: Identity, anew: bool = False) -> Access:
        """What this account may do; StoreError."""
        principal = who.account
        if self._development:
            return unlimited(principal)
        if who.access is not None:
            return who.access
        known = self._known.get(principal)
        if known is not None and not anew and known[0] > time.monotonic():
            return known[1]
        access = await run_sync(self._load, principal)
        if len(self._known) >= _MAX_CACHED:
            del self._known[next(iter(self._known))]
        self._known[principal] = (time.monotonic() + self._seconds, access)
        return access

    def forget(self) -> None:
        """Somebody's rights were changed here: all are looked up again."""
        self._known.clear()

    def _load(self, principal: str) -> Access:
        with self._store.read() as session:
            return members.access_of(session, principal)


class PermittedRoute(APIRoute):
    """A route that has a row in `permits.PERMITS`, asked before anything of the request is read. The handler finds
    the account's rights by `access_to` and what it may see by `view_of`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        methods = more.get("methods") or ["GET"]
        self.permits = {method: BY_ROUTE[method, path] for method in methods}  # KeyError: give it a row
        if more.get("responses"):
            more["responses"] = {status: _as_schema(one) for status, one in more["responses"].items()}
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> _Handler:
        """See APIRoute."""
        inner = super().get_route_handler()
        permits = self.permits
        known, ours = queries.known_to(self), is_of_v1(self.path)
        heeds = etags.heeds_match(self.responses)

        async def handler(request: Request) -> Response:
            permit = permits[request.method]
            await _require(request, permit)
            if ours:
                queries.check_headers(request)
                if permit.changes and not heeds:
                    etags.refuse_match(request)
                if not permit.any_query:
                    queries.check(request, known)
            if not permit.stream:
                request = _of_bounded_body(request)
            if not permit.changes:
                answer = await inner(request)
                return etags.answered(request, answer) if ours else answer
            return await (_changed(request, permit, inner) if ours else inner(request))

        return handler


_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _as_schema(response: dict[str, Any]) -> dict[str, Any]:
    """What is said of an answer, with problems by reference: FastAPI would make a validator of each, a thousand of
    them, whenever a server starts (`app.py` puts the one schema in)."""
    if response.get("model") is not Problem:
        return response
    rest = {key: value for key, value in response.items() if key != "model"}
    return {"content": _PROBLEM, **rest}


async def _changed(request: Request, permit: Permit, inner: _Handler) -> Response:
    """The answer to a change; one that has a key is made once."""
    if request.method == "POST" and "idempotency-key" in request.headers:
        if not permit.keeps_answer:
            advice = "Leave it out: the answer holds a secret or a session, and is not kept."
            raise ApiError(400, "This route takes no Idempotency-Key.", advice, kind="no-idempotency-key")
        store: Store = request.app.state.service.store
        answer = await idempotency.once(store, request, inner, streams=permit.stream)
    else:
        answer = await inner(request)
    if permit.where is not Where.OPEN:
        answer.headers.update(_pace(request).headers(request.scope["principal"]))
    return answer


def _pace(request: Request) -> Pace:
    found: Pace = request.app.state.service.pace
    return found


def _of_bounded_body(request: Request) -> Request:
    """The same, with a body that is read up to a limit: JSON, which is held in memory whole; ApiError 413."""
    length, got = request.headers.get("content-length", "0"), 0
    if not length.isdigit() or int(length[:20]) > MAX_BODY:
        raise ApiError(413, f"The body is larger than {MAX_BODY} bytes.", "Shorten it.")
    inner = request.receive

    async def receive() -> Message:
        nonlocal got
        message = await inner()
        got += len(message.get("body", b""))
        if got > MAX_BODY:
            raise ApiError(413, f"The body is larger than {MAX_BODY} bytes.", "Shorten it.")
        return message

    return _JsonRequest(request.scope, receive)


class _JsonRequest(Request):
    """A request whose JSON says each thing once."""

    async def json(self) -> Any:
        """See Request; json.JSONDecodeError."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


async def _require(request: Request, permit: Permit) -> None:
    """ApiError 403, 404, 429."""
    request.state.permit = permit
    if permit.where is Where.OPEN:
        return
    _pace(request).reserve(request.scope["principal"], permit.changes)
    accesses: Accesses = request.app.state.service.accesses
    access = request.state.access = await accesses.of(identity_of(request), anew=permit.changes)
    if (permit.where is Where.PERSON or permit.person) and not identity_of(request).is_person:
        raise ApiError(403, "Only a person may do that, not a token.", "Sign in: POST /api/v1/session.")
    if permit.permission is None:
        return
    if permit.where is Where.SERVER and not access.may(permit.permission):
        raise forbidden(permit.permission)
    if permit.where is Where.PROJECT:
        key = request.state.place = _id(request.path_params["project_id"], "project")
        _require_at(access.may_in, key, permit.permission, "project")
    elif permit.where is Where.GROUP:
        key = request.state.place = _id(request.path_params["group_id"], "group")
        _require_at(access.may_in_group, key, permit.permission, "group")
    elif permit.where is Where.SCAN and permit.changes:  # before anything is said of its body
        await request.app.state.service.find(request.path_params["scan_id"], access.view(permit.permission))
    elif permit.where is Where.PROPOSAL:
        await run_sync(_require_proposal, request, access, permit.permission)


def _require_proposal(request: Request, access: Access, permission: Permission) -> None:
    text = request.path_params["number"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    store: Store = request.app.state.service.store
    with store.read() as session:
        try:
            found = views.get(session, Sight.of(access), number)
        except MissingError:
            raise unknown("proposal") from None
        if not people.may_at(access, people.place_of(session, found), permission):
            raise forbidden(permission)


def _require_at(
    may: Callable[[uuid.UUID, Permission], bool], place: uuid.UUID, permission: Permission, kind: str
) -> None:
    if not may(place, Permission.PROJECT_READ):
        raise unknown(kind)
    if not may(place, permission):
        raise forbidden(permission)


def _id(text: str, kind: str) -> uuid.UUID:
    try:
        if len(text) == 36:
            return uuid.UUID(text)
    except ValueError:
        pass
    raise unknown(kind)


def identity_of(request: Request) -> Identity:
    """Who asks, and how that was shown."""
    found: Identity = request.scope["identity"]
    return found


def access_to(request: Request) -> Access:
    """What the account that asks may do."""
    found: Access = request.state.access
    return found


def view_of(request: Request) -> View:
    """What the account may see of what this route is about."""
    permit: Permit = request.state.permit
    assert permit.permission is not None, "a route that shows something asks for a permission"
    return access_to(request).view(permit.permission)


def actor_of(request: Request) -> Actor:
    """Who changes something by this request."""
    client = request.client
    return Actor(request.scope["principal"], client.host if client else "unknown")


def forbidden(permission: Permission) -> ApiError:
    """403."""
    return ApiError(
        403,
        f"This account may not do that: it needs the permission {permission.value}.",
        "GET /api/v1/me says what it may; whoever administers the server gives roles.",
    )


def unknown(kind: str) -> ApiError:
    """404: there is none, or none for this account."""
    return ApiError(404, f"There is no such {kind}.", f"GET /api/v1/{kind}s lists those that you can see.")
