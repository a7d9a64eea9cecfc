"""What every request passes on its way in and out: who asks, safe headers, counting. Deny by default."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from package_hunter.api.auth import CHALLENGES
from package_hunter.api.errors import ApiError
from package_hunter.api.metrics import Metrics
from package_hunter.api.service import Service

OPEN_PATHS = frozenset({"/api/v1/health", "/api/v1/openapi.json"})
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        passage = _Passage(scope, receive, send)
        began = time.perf_counter()
        try:
            try:
                scope["principal"] = await self._who(scope)
            except ApiError as refusal:
                await refusal.response()(scope, passage.receive, passage.send)
            else:
                await self._app(scope, passage.receive, passage.send)
        finally:
            route = getattr(scope.get("route"), "path", None) or "none"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.count(method, route, passage.status, time.perf_counter() - began)

    async def _who(self, scope: Scope) -> str:
        headers = dict(scope["headers"])
        if self._development:
            return _developer(headers)
        if scope["path"] in OPEN_PATHS:
            return ""
        client = scope.get("client")
        address = client[0] if client else "unknown"
        return await self._service.auth.name(headers.get(b"authorization"), address)


def _developer(headers: dict[bytes, bytes]) -> str:
    """Without credentials, a page in the developer's browser must not get here by a name of its own."""
    host = headers.get(b"host", b"").decode("latin-1")
    name = host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name.lower() not in _LOOPBACK_NAMES:
        raise ApiError(403, "In development mode only localhost may be asked.", "Use http://localhost.")
    return "developer"


class _Passage:
    """One request's messages: adds headers, and lets a refused uploader read the refusal."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._uploading = scope["method"] not in ("GET", "HEAD")
        self._waits = any(k == b"expect" for k, _ in scope["headers"])
        self._linger = False
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
        self.status = message["status"]
        headers: list[tuple[bytes, bytes]] = [*message.get("headers", ()), *_SAFE_HEADERS]
        if self.status == 401:
            headers += CHALLENGES
        if self._uploading and self.status >= 400:
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
