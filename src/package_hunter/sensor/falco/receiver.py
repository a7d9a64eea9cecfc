"""Receives Falco's http_output: one POST an alert. Falco can send no header, so the secret is the path."""

from __future__ import annotations

import asyncio
import errno
import hmac
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.place import Http, Take

RATE = 5_000.0  # alerts a second, on average
BURST = 20_000
_BODY_SECONDS = 10.0
_WAIT_SECONDS = 60.0
_CONNECTIONS = 256
Message = MutableMapping[str, Any]


class Receiver:
    """Serves from a thread of its own between ``start`` and ``stop``. ``refused`` counts alerts that came with
    the secret and were too many, too slow or too long."""

    def __init__(self, place: Http, rate: float = RATE, burst: int = BURST) -> None:
        self._place, self._rate, self._burst = place, rate, burst
        self._left, self._filled = float(burst), time.monotonic()
        self._path = f"/{place.token}".encode()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._take: Take | None = None
        self.refused = 0

    def start(self, take: Take, wait: float = _WAIT_SECONDS) -> None:
        """Listen. Another scan that has the port is waited for, ``wait`` seconds at most; then HostError."""
        listening = self._listen(time.monotonic() + wait)
        self._take = take
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=_CONNECTIONS,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="falco-receiver", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Let go of the port."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._server = self._thread = None

    def _listen(self, until: float) -> socket.socket:
        host, port = self._place.host, self._place.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        while True:
            try:
                return socket.create_server((host, port), family=family)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                    time.sleep(0.1)
                    continue
                raise HostError(
                    f"Falco's alerts cannot be received on {host} port {port}: {os.strerror(error.errno or 0)}.",
                    "Where several scans run at the same time, let Falco write into a file "
                    "(PACKAGE_HUNTER_FALCO=/path) that all of them read.",
                ) from None

    async def _answer(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        status = await self._status(scope, receive)
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _status(self, scope: Message, receive: Callable[[], Awaitable[Message]]) -> int:
        # raw_path: what was sent, before anything decodes it
        if not hmac.compare_digest(scope.get("raw_path") or b"", self._path):
            return 404
        if scope["method"] != "POST":
            return 405
        if not self._allowed():
            self.refused += 1
            return 429
        try:
            body = await asyncio.wait_for(_body(receive), _BODY_SECONDS)
        except TimeoutError:
            self.refused += 1
            return 408
        if body is None:
            self.refused += 1
            return 413
        if self._take is not None:
            self._take(body)
        return 200

    def _allowed(self) -> bool:
        now = time.monotonic()
        self._left = min(float(self._burst), self._left + (now - self._filled) * self._rate)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The whole body; None where it is too long."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise TimeoutError
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_ALERT_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
