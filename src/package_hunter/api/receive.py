"""Receiving an archive: bytes to disk at constant memory, under every limit; nothing stays of what fails."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.limits import has_room
from package_hunter.api.service import Service
from package_hunter.storage.incoming import Incoming

ARCHIVE_TYPE = "application/octet-stream"
_BUFFER = 1 << 20  # one hop to a thread a MiB: hashing and writing leave the event loop alone
_FIRST_MINUTE = 60.0


@asynccontextmanager
async def received(request: Request, service: Service) -> AsyncIterator[Incoming]:
    """The request's body as a finished upload, gone at the end unless it was kept.

    ApiError 400 (empty), 408 (too slow), 413 (too large), 415 (not raw bytes), 429 (too many at once, or too
    much of this account's); DiskFullError.
    """
    expected = _check_head(request, service.settings.max_archive_bytes)
    account: str = request.scope["principal"]
    if not has_room(service.settings.max_uploads, service.receiving, account):
        raise too_many(
            "Too many archives are coming in at this moment.", "Try again in a moment.", 5, "too-many-uploads"
        )
    service.receiving[account] += 1
    share = _DiskShare(service, account)
    try:
        await share.check(expected)
        upload = await run_sync(service.uploads.begin, expected)
        try:
            await _fill(upload, request, service, share)
            yield upload
        finally:
            upload.discard()
    finally:
        share.end()
        _less(service.receiving, account, 1)


class _DiskShare:
    """One upload's part of what its account holds on the disk: no more, with its archives that wait, than is
    left free for everybody else."""

    def __init__(self, service: Service, account: str) -> None:
        self._service, self._account = service, account
        self._waiting = self._size = 0

    async def check(self, expected: int) -> None:
        """Before the first byte, of ``expected`` (0: unknown); ApiError 429."""
        self._waiting = await self._service.waiting_bytes(self._account)
        if self._waiting or self._service.incoming[self._account]:
            self._require(expected)

    def grow(self, size: int) -> None:
        """So many bytes more; ApiError 429."""
        self._size += size
        self._service.incoming[self._account] += size
        if self._waiting or self._service.incoming[self._account] > self._size:
            self._require(0)

    def end(self) -> None:
        """It is over: kept, and counted by the store now, or gone."""
        _less(self._service.incoming, self._account, self._size)

    def _require(self, expected: int) -> None:
        held = self._waiting + self._service.incoming[self._account]
        left = self._service.uploads.free() - expected
        if 0 <= left < held + expected:  # below nought it is the disk that is full, for everybody
            raise too_many(
                "This account's archives take as much room as is left for all others.",
                "Try again when some of its scans have finished.",
                60,
                "too-much-room",
            )


def _less(counter: Counter[str], key: str, number: int) -> None:
    """Take away, and forget who has nothing left."""
    counter[key] -= number
    if not counter[key]:
        del counter[key]


def _check_head(request: Request, limit: int) -> int:
    """The body's size where it is told, else 0."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != ARCHIVE_TYPE:
        raise ApiError(415, f"The body must be raw bytes of type {ARCHIVE_TYPE}.", f"Send {_HEADER}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "The body must not have a Content-Encoding.", "Send the archive as it is.")
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 18:
        raise ApiError(400, "The Content-Length is no number.")
    if int(length) > limit:
        raise too_large(limit)
    return int(length)


_HEADER = f"the header Content-Type: {ARCHIVE_TYPE}."


def too_large(limit: int) -> ApiError:
    """413."""
    advice = "Leave out what can be installed again (node_modules, build output)."
    return ApiError(413, f"The archive has more than {limit} bytes.", advice)


async def _fill(upload: Incoming, request: Request, service: Service, share: _DiskShare) -> None:
    settings = service.settings
    buffer = bytearray()
    began = time.monotonic()
    received = 0
    async for chunk in chunks(request, settings.upload_stall_seconds):
        received += len(chunk)
        if received > settings.max_archive_bytes:
            raise too_large(settings.max_archive_bytes)
        seconds = time.monotonic() - began
        if seconds > _FIRST_MINUTE and received < seconds * settings.min_upload_rate:
            raise _too_slow()
        buffer += chunk
        if len(buffer) >= _BUFFER:
            share.grow(len(buffer))
            async with service.disk:
                await run_sync(upload.write, buffer)
            buffer.clear()
    share.grow(len(buffer))
    if received == 0:
        raise ApiError(400, "The body is empty.", "Send the archive as the request's body.")
    async with service.disk:
        await run_sync(upload.write, buffer)
        await run_sync(upload.done)


async def chunks(request: Request, stall: float) -> AsyncIterator[bytes]:
    """The request's body as it comes in; ApiError 408 where the client is silent for ``stall`` seconds."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(stall):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise _too_slow() from None
        except ClientDisconnect:
            raise ApiError(400, "The connection ended before the body was complete.") from None
        if chunk is None:
            return
        yield chunk


def _too_slow() -> ApiError:
    return ApiError(408, "The request's body came in too slowly.", "Try again over a faster line.")
