"""Idempotency-Key: a POST that is sent again is not done again (draft-ietf-httpapi-idempotency-key-header).

That a request was done is written in the transaction of what it does, so a server that dies in between neither
forgets nor doubles it. Only good answers are kept, for a day: what was refused changed nothing and may be tried anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import structlog
from anyio.to_thread import run_sync
from fastapi import Request
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import Message

from package_hunter.api.errors import ApiError, too_many
from package_hunter.store import requests
from package_hunter.store.database import Store, StoreError
from package_hunter.store.request_tables import MAX_KEY, KeptRequest
from package_hunter.store.requests import Kept, Name

log = structlog.get_logger(__name__)

_POLL_SECONDS, _WAIT_SECONDS = 0.25, 15.0  # for the same request that is under way
_RENEW_SECONDS = requests.LEASE_MS / 3000
_MAX_BODY = 64 << 10  # of an answer that is kept
_HEADERS = {"Idempotency-Replayed": "true"}
T = TypeVar("T")
Run = Callable[[Request], Awaitable[Response]]


class _Claim:
    """A key that this request holds."""

    def __init__(self, name: Name, digest: Callable[[], str]) -> None:
        self.name, self._digest = name, digest
        self.done = False

    def mark(self, session: Session, answer: Kept | None) -> None:
        if not requests.done(session, self.name, self._digest(), answer):
            raise _under_way()
        self.done = True


_claim: ContextVar[_Claim | None] = ContextVar("claim", default=None)


def mark(session: Session, answer: Kept | None = None) -> None:
    """To be called in the transaction of each change: if the request has a key, it is done with this. ``answer``, where
    it is known already, is kept with it."""
    claim = _claim.get()
    if claim is not None and not claim.done:
        claim.mark(session, answer)


def key_of(request: Request) -> str | None:
    """The request's key, with or without the quotes of a structured field; ApiError 400."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 0 < len(key) <= MAX_KEY or not all("!" <= c <= "~" for c in key):
        raise ApiError(
            400,
            f"The Idempotency-Key is not 1 to {MAX_KEY} visible ASCII characters.",
            "A new UUID for each thing to be done is best.",
            kind="malformed-idempotency-key",
        )
    return key


async def once(store: Store, request: Request, run: Run, streams: bool) -> Response:
    """The answer of ``run``, or the one that a request of the same account and key got before; ApiError 400, 409, 422.
    ``streams``: its body is not held in memory."""
    key = key_of(request)
    if key is None:
        return await run(request)
    body = _Body(request)
    if not streams:
        await body.read()
    name = Name(request.scope["principal"][:160], key, secrets.token_hex(16))
    before = await _reserve(store, name)
    if before is not None:
        await body.drain()
        return _replayed(before, body.digest())
    return await _first(store, _Claim(name, body.digest), lambda: run(body.request()))


async def _first(store: Store, claim: _Claim, run: Callable[[], Awaitable[Response]]) -> Response:
    token = _claim.set(claim)
    try:
        async with _renewed(store, claim.name):
            answer = await run()
    except BaseException:
        if not claim.done:
            with contextlib.suppress(StoreError):  # its time runs out by itself
                await asyncio.shield(_write(store, lambda s: requests.release(s, claim.name)))
        raise
    finally:
        _claim.reset(token)
    await _keep(store, claim, answer)
    return answer


async def _keep(store: Store, claim: _Claim, answer: Response) -> None:
    """The change is made, whatever becomes of this: who comes again is told that much at least."""
    body = getattr(answer, "body", b"")
    kept = Kept(answer.status_code, body, answer.headers.get("location"))
    if len(body) > _MAX_BODY:
        return
    try:
        if claim.done:
            await _write(store, lambda s: requests.keep(s, claim.name, kept))
        else:
            await _write(store, lambda s: claim.mark(s, kept))
    except StoreError as error:
        log.warning("answer not kept", error=str(error))


async def _reserve(store: Store, name: Name) -> KeptRequest | None:
    """As `requests.reserve`, once nobody is at it; ApiError 409, 429."""
    end = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while True:
        try:
            found = await _write(store, lambda s: requests.reserve(store, s, name))
        except requests.TooManyKeysError:
            raise too_many(
                f"This account used {requests.MAX_KEYS} keys within a day.",
                "Use fewer keys.",
                600,
                "too-many-keys",
            ) from None
        if found is None or found.digest is not None:
            return found
        if asyncio.get_running_loop().time() > end:
            raise _under_way()
        await asyncio.sleep(_POLL_SECONDS)


def _under_way() -> ApiError:
    advice = "Wait for it, then send this again."
    headers = {"Retry-After": "5"}
    return ApiError(
        409, "A request with this Idempotency-Key is under way.", advice, headers, kind="under-way"
    )


def _replayed(before: KeptRequest, digest: str) -> Response:
    if before.digest != digest:
        raise ApiError(
            422,
            "This Idempotency-Key was used for another request within a day.",
            "Use a new key for each thing to be done; send the same bytes again to ask what came of it.",
            kind="idempotency-key",
        )
    if before.status is None:
        advice = "Look at what there is; use a new key to do it once more."
        raise ApiError(
            409, "It was done, but its answer was not kept.", advice, _HEADERS, kind="answer-not-kept"
        )
    headers = _HEADERS | ({} if before.location is None else {"Location": before.location})
    if before.status == 204:
        return Response(status_code=204, headers=headers)
    return Response(before.body, before.status, headers, media_type="application/json")


@contextlib.asynccontextmanager
async def _renewed(store: Store, name: Name) -> AsyncIterator[None]:
    """While this lasts, nobody else takes the key to be free."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await _write(store, lambda s: requests.renew(s, name))
            except StoreError as error:
                log.warning("key not renewed", error=str(error))

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()


async def _write(store: Store, change: Callable[[Session], T]) -> T:
    def run() -> T:
        with store.write() as session:
            return change(session)

    return await run_sync(run)


class _Body:
    """A request's body and its digest, which is known once all of it was read."""

    def __init__(self, request: Request) -> None:
        self._request = request
        scope = request.scope
        self._hash = hashlib.sha256()
        kind = request.headers.get("content-type", "").encode()
        for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], kind):
            self._hash.update(len(part).to_bytes(8, "big") + part)
        self._held: bytes | None = None
        self._ended = False

    async def read(self) -> None:
        """All of it, held."""
        self._held = await self._request.body()
        self._hash.update(self._held)
        self._ended = True

    async def drain(self) -> None:
        """Read what is left, for its digest alone."""
        while not self._ended:
            await self._receive()

    def digest(self) -> str:
        """Of what was read."""
        return self._hash.copy().hexdigest()

    def request(self) -> Request:
        """The request, whose body is still to be read."""
        return type(self._request)(
            self._request.scope, self._again if self._held is not None else self._receive
        )

    async def _again(self) -> Message:
        if self._held is None:
            return await self._request.receive()  # for a disconnect
        held, self._held = self._held, None
        return {"type": "http.request", "body": held, "more_body": False}

    async def _receive(self) -> Message:
        message = await self._request.receive()
        self._hash.update(message.get("body", b""))
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message
