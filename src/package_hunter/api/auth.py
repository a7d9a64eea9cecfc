"""Who is asking: HTTP Basic (a user's password) or a bearer token, on every route.

A password check costs 0.2 s of CPU by design, so what was verified is remembered for a bounded time (a
removed account works that long at most), equal checks run once, few run at a time, and failures are limited.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time

import structlog
from anyio.to_thread import run_sync

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.limits import Buckets
from package_hunter.config import Settings
from package_hunter.store import accounts
from package_hunter.store.database import Store

log = structlog.get_logger(__name__)

_MAX_HEADER = 4_096
_MAX_CACHED = 10_000
_CHECKS_AT_ONCE = 2
_MAX_WAITING = 64
_REALM = 'realm="package-hunter"'
CHALLENGES = ((b"www-authenticate", f'Basic {_REALM}, charset="UTF-8"'.encode()),
              (b"www-authenticate", f"Bearer {_REALM}".encode()))  # fmt: skip


class Authenticator:
    """Turns an Authorization header into the name of an account."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._seconds = settings.credential_cache_seconds
        self._verified: dict[bytes, tuple[str, float]] = {}
        self._running: dict[bytes, asyncio.Task[str | None]] = {}
        self._slots = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._failures = Buckets(settings.failed_logins_per_minute)
        self._secret = secrets.token_bytes(32)  # a memory dump shows no digest worth a dictionary attack

    async def name(self, header: bytes | None, address: str) -> str:
        """The account's name; ApiError 401 or 429."""
        if header is None:
            raise _refused("Credentials are needed.")
        key = hashlib.blake2b(header, key=self._secret, digest_size=32).digest()
        known = self._verified.get(key)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        wait = self._failures.wait(address)
        if wait:
            raise too_many("Too many failed logins from this address.", "Wait, then check them.", wait)
        name = await self._verify_once(key, header)
        if name is None:
            self._failures.take(address)
            log.warning("login failed", address=address)
            raise _refused("The credentials are wrong.")
        return name

    async def _verify_once(self, key: bytes, header: bytes) -> str | None:
        task = self._running.get(key)
        if task is None:
            if len(self._running) >= _MAX_WAITING:
                raise too_many("Too many logins at once.", "Try again in a moment.", 5)
            task = asyncio.create_task(self._verify(key, header))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def _verify(self, key: bytes, header: bytes) -> str | None:
        async with self._slots:
            name = await run_sync(self._check, header)
        if name is not None:
            self._verified.pop(key, None)
            if len(self._verified) >= _MAX_CACHED:
                del self._verified[next(iter(self._verified))]
            self._verified[key] = (name, time.monotonic() + self._seconds)
        return name

    def _check(self, header: bytes) -> str | None:
        scheme, _, value = header.decode("latin-1").partition(" ")
        value = value.strip()
        if len(header) > _MAX_HEADER:
            return None
        if scheme.lower() == "bearer":
            with self._store.write() as session:
                owner = accounts.token_owner(session, value)
            return None if owner is None else f"token:{owner}"
        return self._check_basic(value) if scheme.lower() == "basic" else None

    def _check_basic(self, value: str) -> str | None:
        try:
            decoded = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        name, _, password = decoded.partition(":")
        stored = None
        if name.isprintable():  # a NUL in a query is an error to PostgreSQL
            with self._store.read() as session:
                stored = accounts.stored_password(session, name)
        fits = accounts.password_fits(password, stored or accounts.UNKNOWN_USER)
        return name if fits and stored is not None else None


def _refused(reason: str) -> ApiError:
    advice = "Make some: package-hunter user add NAME (HTTP Basic) or token add NAME (bearer token)."
    return ApiError(401, reason, advice)
