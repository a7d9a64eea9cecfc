"""What every request passes on its way in and out: who asks, safe headers, counting. Deny by default."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from package_hunter.access.identity import DEVELOPER, NOBODY, Identity
from package_hunter.api import cookies, tracing
from package_hunter.api.auth import BEARER, CHALLENGES
from package_hunter.api.errors import SAFE_HEADERS, ApiError, broken, store_failed
from package_hunter.api.metrics import Metrics
from package_hunter.api.permits import is_open, is_page
from package_hunter.api.service import Service
from package_hunter.store.database import StoreError
from package_hunter.watching import endpoint

log = structlog.get_logger(__name__)

LEAVES = "package-hunter.leaves"
"""In a request's scope: its answer sends the browser elsewhere, to an identity provider."""
INSIDE = "package-hunter.inside"
"""In a request's scope: the application behind this gate. Pages ask it, as the account that asks them."""
_OWN = frozenset({b"content-security-policy", b"cache-control"})  # what a page says itself
_STREAM = b"text/event-stream"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LINGER_SECONDS, _LINGER_BYTES = 2.0, 8 << 20
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Gate:
    """Pure ASGI: the way of a status poll is short."""

    def __init__(self, app: ASGIApp, service: Service, metrics: Metrics) -> None:
        self._app = app
        self._service = service
        self._metrics = metrics
        self._development = service.settings.development
        self._traces = endpoint.of(service.settings) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})  # nothing here speaks it
        headers = dict(scope["headers"])
        passage = _Passage(scope, headers, receive, send, self._metrics.streams.inc)
        if self._traces:
            tracing.begin(headers)
        began = time.perf_counter()
        try:
            await self._pass(scope, headers, passage)
        finally:
            route = getattr(scope.get("route"), "path", None) or "none"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = None if passage.streams else time.perf_counter() - began
            self._metrics.count(method, route, passage.status, seconds)
            if passage.streams:
                self._metrics.streams.dec()

    async def _pass(self, scope: Scope, headers: dict[bytes, bytes], passage: _Passage) -> None:
        """The request's answer, whatever happens: nothing leaves here that has not the safe headers."""
        try:
            _check_framing(headers, scope["http_version"])
            who = scope["identity"] = await self._who(scope, headers, passage)
            scope["principal"] = who.account
            scope[INSIDE] = self._app
            return await self._app(scope, passage.receive, passage.send)
        except ApiError as error:
            refusal = error
        except StoreError as error:
            log.warning("store failed", error=str(error))
            refusal = store_failed(error)
        except Exception:
            if passage.began:
                raise  # half an answer is out: the connection has to be cut
            log.exception("request failed")
            refusal = broken()
        await self._service.refusal(refusal, scope)(scope, passage.receive, passage.send)

    async def _who(self, scope: Scope, headers: dict[bytes, bytes], passage: _Passage) -> Identity:
        public, method = self._service.settings.public_url, scope["method"]
        header = headers.get(b"authorization")
        if method not in cookies.SAFE_METHODS and not (header or b"").lower().startswith(b"bearer "):
            cookies.require_own_page(headers, public)
        if self._development:
            return _developer(headers)
        if is_open(method, scope["path"]):
            return NOBODY
        client = scope.get("client")
        address = client[0] if client else "unknown"
        secure = cookies.is_secure(scope, public)
        secret = None if header is not None else cookies.session_secret(headers, secure)
        if secret is None:
            return await self._service.auth.identify(header, address)
        passage.has_cookie = True
        who, fresh = await self._service.auth.by_session(secret, address)
        if fresh is not None:
            seconds = self._service.settings.session_seconds
            passage.cookie = cookies.session_cookie(fresh, seconds, secure)
        if method not in cookies.SAFE_METHODS and not is_page(
            scope["path"]
        ):  # a page's form has it in its body
            cookies.require_csrf_token(headers, who)
        return who


def _check_framing(headers: dict[bytes, bytes], version: str) -> None:
    """Refuse a body whose end a proxy before us may see elsewhere; ApiError 400 (RFC 9112, 6.1)."""
    close = {"Connection": "close"}
    if version not in ("1.1", "1.0"):
        raise ApiError(400, "This version of HTTP is not spoken here.", "Use HTTP/1.1.", close)
    if b"transfer-encoding" not in headers:
        return
    if b"content-length" in headers:
        raise ApiError(
            400, "The request has both Content-Length and Transfer-Encoding.", "Send one of them.", close
        )
    if version != "1.1":
        raise ApiError(400, "Transfer-Encoding needs HTTP/1.1.", "Send a Content-Length.", close)


def _here(location: bytes, host: bytes) -> bytes:
    """A redirect's target on this server: the Host that a request names is anybody's word."""
    scheme, found, rest = location.partition(b"://")
    if not found:
        rest = scheme
    elif host and rest.startswith(host):
        rest = rest[len(host) :]
    else:
        rest = rest.partition(b"/")[2]
    return b"/" + rest.lstrip(b"/\\")


def _developer(headers: dict[bytes, bytes]) -> Identity:
    """Without credentials, a page in the developer's browser must not get here by a name of its own."""
    host = headers.get(b"host", b"").decode("latin-1")
    name = host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name.lower() not in _LOOPBACK_NAMES:
        raise ApiError(403, "In development mode only localhost may be asked.", "Use http://localhost.")
    return DEVELOPER


def _but_own(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in headers} & _OWN
    return [one for one in SAFE_HEADERS if one[0] not in said]


class _Passage:
    """One request's messages: adds headers, and lets a refused uploader read the refusal."""

    def __init__(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
        on_stream: Callable[[], None],
    ) -> None:
        self._on_stream = on_stream
        self._scope = scope
        self._receive = receive
        self._send = send
        self._uploading = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        self._waits = b"expect" in headers
        self._host = headers.get(b"host", b"")
        self._linger = False
        self.has_cookie = False  # a browser: it would ask for a password by itself
        self.cookie: str | None = None
        self.streams = False  # its answer tells what happens, for as long as somebody listens
        self.began = False
        self.status = 500

    async def receive(self) -> Message:
        """The next message of the client."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._uploading = False
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer's message on."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif self._linger and not message.get("more_body", False):
            return await self._end_lingering(message)
        await self._send(message)

    def _start(self, message: Message) -> None:
        self.began = True
        self.status = message["status"]
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        own = False  # a page says itself what it may load
        for name, value in headers:
            if value.startswith(_STREAM) and name.lower() == b"content-type":
                self.streams = True
                self._on_stream()
            own = own or name.lower() in _OWN
        headers += _but_own(headers) if own else SAFE_HEADERS
        if 300 <= self.status < 400 and not self._scope.get(LEAVES):
            headers = [(k, _here(v, self._host) if k.lower() == b"location" else v) for k, v in headers]
        if self.status == 401:
            headers += (BEARER,) if self.has_cookie else CHALLENGES
        if self.cookie is not None and not any(name.lower() == b"set-cookie" for name, _ in headers):
            headers.append((b"set-cookie", self.cookie.encode("latin-1")))
        if self._uploading:  # the rest of a body that nobody wants
            if not any(name.lower() == b"connection" for name, _ in headers):
                headers.append((b"connection", b"close"))
            self._linger = not self._waits
        message["headers"] = headers

    async def _end_lingering(self, message: Message) -> None:
        """Closing a connection on which bytes still come in would take the answer back (TCP reset)."""
        rest: dict[str, Any] = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send({**message, "more_body": True})
        got = 0
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while self._uploading and got < _LINGER_BYTES:
                    got += len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass
        await self._send(rest)
