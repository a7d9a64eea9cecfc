"""The API's routes on the store of this machine, in this process: what a command prints is what a server would answer,
since the same routes answer it. Who runs the command asks, and may do all of it, as whoever can write the store may."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from package_hunter.access.actor import command_line
from package_hunter.access.identity import Identity, Method
from package_hunter.access.view import unlimited

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

    from package_hunter.config import Settings
    from package_hunter.store.database import Store

ADDRESS = "http://localhost"


class Here(httpx.BaseTransport):
    """Requests go to routes, not to a network. Answers are held whole: nothing that goes on for ever is asked here."""

    def __init__(self, config: Settings, store: Store) -> None:
        from package_hunter import queue
        from package_hunter.api.app import create_app  # late: a server is asked without all of this
        from package_hunter.governance import policy_file

        policy_file.use(config.policy_file)

        self._log = structlog.get_config()
        structlog.configure(  # what a server would write into its log is no output of a command
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        self._store = store
        self._app: ASGIApp = create_app(config, store, queue.make(config, store), {}, within=True)
        by = command_line()
        self._by, self._origin = by.name, by.origin

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        messages: list[Message] = []
        asyncio.run(self._ask(request, messages))
        head = next(m for m in messages if m["type"] == "http.response.start")
        body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
        return httpx.Response(head["status"], headers=list(head.get("headers", ())), content=body)

    async def _ask(self, request: httpx.Request, messages: list[Message]) -> None:
        assert isinstance(request.stream, httpx.SyncByteStream)
        pieces = iter(request.stream)

        async def receive() -> Message:
            piece = await asyncio.to_thread(_next, pieces)
            more = piece is not None
            return {"type": "http.request", "body": piece or b"", "more_body": more}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(self._scope(request), receive, send)

    def _scope(self, request: httpx.Request) -> Scope:
        url = request.url
        who = Identity(self._by, Method.NOBODY, access=unlimited(self._by))
        found: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("localhost", 80),
            "client": (self._origin, 0),
            "identity": who,
            "principal": who.account,
        }
        return found

    def close(self) -> None:
        """Nothing is asked any more."""
        self._store.close()
        structlog.configure(**self._log)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
