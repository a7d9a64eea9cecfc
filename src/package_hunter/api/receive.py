"""Receiving an archive: bytes to disk at constant memory, under every limit; nothing stays of what fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.service import Service
from package_hunter.store.uploads import Upload

ARCHIVE_TYPE = "application/octet-stream"
_BUFFER = 1 << 20  # one hop to a thread a MiB: hashing and writing leave the event loop alone
_FIRST_MINUTE = 60.0


@asynccontextmanager
async def received(request: Request, service: Service) -> AsyncIterator[Upload]:
    """The request's body as a finished upload, gone at the end unless it was kept.

    ApiError 400 (empty), 408 (too slow), 413 (too large), 415 (not raw bytes), 429 (too many at once);
    DiskFullError.
    """
    expected = _check_head(request, service.settings.max_archive_bytes)
    if service.receiving >= service.settings.max_uploads:
        raise too_many("Too many archives are coming in at this moment.", "Try again in a moment.", 5)
    service.receiving += 1
    try:
        upload = await run_sync(service.uploads.begin, expected)
        try:
            await _fill(upload, request, service)
            yield upload
        finally:
            upload.discard()
    finally:
        service.receiving -= 1


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


async def _fill(upload: Upload, request: Request, service: Service) -> None:
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
            await run_sync(upload.write, buffer)
            buffer.clear()
    await run_sync(upload.write, buffer)
    if received == 0:
        raise ApiError(400, "The body is empty.", "Send the archive as the request's body.")
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
