"""Routes of sign-in at an identity provider (OpenID Connect): the way there, and back."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.identity import Identity
from package_hunter.api import cookies
from package_hunter.api.allowed import PermittedRoute, actor_of, identity_of
from package_hunter.api.errors import ApiError
from package_hunter.api.gate import LEAVES
from package_hunter.api.identity_schemas import Address, LinkInfo, LinkList, ProviderNames
from package_hunter.api.recent import require_recent
from package_hunter.api.service import Service
from package_hunter.api.session_routes import begin_session, set_cookie
from package_hunter.api.transactions import WRONG, as_time, read, write
from package_hunter.identity import oidc
from package_hunter.identity.directory import Directory
from package_hunter.identity.oidc import Answer, Client, Pending, Person
from package_hunter.store import accounts, identities, providers, sessions
from package_hunter.store.access_tables import Account
from package_hunter.store.errors import StoreError
from package_hunter.store.identities import Known, NotLetInError
from package_hunter.store.identity_tables import SessionRow
from package_hunter.store.places import MissingError
from package_hunter.store.sessions import Begun, Times

_SEALED_AS = "oidc-login"
_CALLBACK = "/api/v1/oidc/callback"
_Text = Annotated[str | None, Query(max_length=4_000)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    _there(router, service)
    _back(router, service)
    _own(router, service)
    return router


def _there(router: APIRouter, service: Service) -> None:
    @router.get("/oidc", tags=["sign-in"], summary="The identity providers that one can sign in at")
    async def list_providers() -> ProviderNames:
        def look(session: Session) -> ProviderNames:
            return ProviderNames(items=[row.name for row in providers.providers(session, providers.OIDC)])

        return await read(service, look)

    @router.get(
        "/oidc/{provider}/login",
        tags=["sign-in"],
        summary="Go to an identity provider",
        status_code=303,
        response_class=RedirectResponse,
    )
    async def login(
        request: Request,
        provider: str,
        then: Annotated[str, Query(alias="next", max_length=512, description="The path to go on to.")] = "/",
    ) -> Response:
        url, cookie = await _begin(service, request, provider, "login", None, _path(then))
        answer = RedirectResponse(url, 303)
        answer.headers.append("set-cookie", cookie)
        request.scope[LEAVES] = True
        return answer

    @router.post(
        "/session/confirm/{provider}",
        tags=["sign-in"],
        summary="Show once more who one is, at an identity provider: the address to go to",
    )
    async def confirm(request: Request, response: Response, provider: str) -> Address:
        url, cookie = await _begin(service, request, provider, "confirm", _session_of(request), "/")
        response.headers.append("set-cookie", cookie)
        return Address(url=url)


async def _begin(
    service: Service, request: Request, provider: str, purpose: str, session: uuid.UUID | None, then: str
) -> tuple[str, str]:
    """The address to go to, and the cookie to take along."""
    client = await read(service, lambda s: _client(service, s, provider))
    key = None if session is None else session.hex

    def ask(directory: Directory) -> tuple[Pending, str]:
        return oidc.begin(client, directory, purpose, key, then)

    pending, url = await service.trust.ask(ask)
    sealed = service.box.seal(pending.sealed_form(), _SEALED_AS).hex()
    secure = cookies.is_secure(request.scope, service.settings.public_url)
    return url, cookies.login_cookie(sealed, oidc.SECONDS, secure)


def _client(service: Service, session: Session, name: str) -> Client:
    row = providers.provider(session, name)
    public = service.settings.public_url.rstrip("/")
    if row.kind != providers.OIDC:
        raise MissingError(f"There is no identity provider {name[:64]!r}.", "")
    if not public:
        raise ApiError(
            503, "The server does not know its own address.", "Set PACKAGE_HUNTER_PUBLIC_URL (https://…)."
        )
    secret = providers.secret_of(service.box, row)
    return Client(row.name, row.issuer, row.client_id, secret, row.groups_claim, f"{public}{_CALLBACK}")


def _path(text: str) -> str:
    """A path of ours to go on to; anything else is the first page."""
    own = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if own else "/"


def _back(router: APIRouter, service: Service) -> None:
    @router.get(
        "/oidc/callback",
        tags=["sign-in"],
        summary="Come back from an identity provider",
        status_code=303,
        response_class=RedirectResponse,
    )
    async def callback(
        request: Request,
        state: _Text = None,
        code: _Text = None,
        error: _Text = None,
        iss: _Text = None,
    ) -> Response:
        pending = _pending(service, request)
        client = await read(service, lambda s: _client(service, s, pending.provider))
        answer = Answer(state or "", code, error, iss)
        person = await service.trust.ask(lambda directory: oidc.finish(pending, answer, client, directory))
        secret = await write(service, lambda s: _arrived(s, service, request, pending, person))
        back = RedirectResponse(pending.next, 303)
        secure = cookies.is_secure(request.scope, service.settings.public_url)
        back.headers.append("set-cookie", cookies.login_cookie("", 0, secure))
        if secret is not None:
            set_cookie(service, request, back, secret)
        return back


def _pending(service: Service, request: Request) -> Pending:
    """What this browser began; ApiError 403."""
    secure = cookies.is_secure(request.scope, service.settings.public_url)
    sealed = cookies.login_secret(dict(request.scope["headers"]), secure)
    try:
        return Pending.of(service.box.open(bytes.fromhex(sealed or ""), _SEALED_AS))
    except (ValueError, TypeError, StoreError):
        raise ApiError(403, "This browser began no login.", "Begin it again.") from None


def _arrived(
    session: Session, service: Service, request: Request, pending: Pending, person: Person
) -> str | None:
    """Sign in, link or confirm; the new session's secret where there is one."""
    provider = providers.provider(session, pending.provider)
    known = Known(person.subject, person.names, person.groups)
    origin = request.client.host if request.client else "unknown"
    if pending.purpose == "login":
        try:
            account = identities.sign_in(session, provider, known, origin)
        except NotLetInError as error:
            raise ApiError(403, error.message, error.advice) from error
        begun: Begun = begin_session(session, service, request, account, f"oidc:{provider.name}")
        return begun.secret
    row = _same_session(session, service, request, pending)
    account = session.get_one(Account, row.account_id)
    by = Actor(account.name, origin)
    if pending.purpose == "link":
        identities.link(session, provider, known, account, by)
    elif identities.is_linked(session, provider, person.subject, account):
        sessions.confirmed(session, row.id, by, f"oidc:{provider.name}")
    else:
        raise ApiError(403, "At the identity provider you are somebody else.", "Sign in there as yourself.")
    return None


def _same_session(session: Session, service: Service, request: Request, pending: Pending) -> SessionRow:
    """The session that began it, which must be the one that the browser has; ApiError 403."""
    secure = cookies.is_secure(request.scope, service.settings.public_url)
    secret = cookies.session_secret(dict(request.scope["headers"]), secure)
    live = None if secret is None else sessions.find(session, secret, Times.of(service.settings))
    if live is None or live.row.id.hex != pending.session:
        raise ApiError(403, "This was begun by another session.", "Begin it again.")
    return live.row


def _own(router: APIRouter, service: Service) -> None:
    @router.get("/me/identities", tags=["sign-in"], summary="At which identity providers one is known")
    async def links(request: Request) -> LinkList:
        def look(session: Session) -> LinkList:
            found = identities.links_of(session, accounts.user(session, identity_of(request).account))
            return LinkList(items=[LinkInfo(provider=p, subject=s, seen=as_time(t)) for p, s, t in found])

        return await read(service, look)

    @router.post(
        "/me/identities/{provider}",
        tags=["sign-in"],
        summary="Link one's account to an identity provider: the address to go to",
    )
    async def link(request: Request, response: Response, provider: str) -> Address:
        require_recent(identity_of(request))
        url, cookie = await _begin(service, request, provider, "link", _session_of(request), "/")
        response.headers.append("set-cookie", cookie)
        return Address(url=url)

    @router.delete(
        "/me/identities/{provider}",
        tags=["sign-in"],
        summary="Unlink it; sessions end",
        status_code=204,
    )
    async def unlink(request: Request, provider: str) -> None:
        who: Identity = require_recent(identity_of(request))
        by = actor_of(request)

        def change(session: Session) -> None:
            row = providers.provider(session, provider)
            identities.unlink(session, row, accounts.user(session, who.account), by)

        await write(service, change)


def _session_of(request: Request) -> uuid.UUID:
    found = identity_of(request).session
    if found is None:
        raise ApiError(404, "This request has no session.", "Sign in: POST /api/v1/session.")
    return found
