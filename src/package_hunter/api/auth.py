"""Who is asking: HTTP Basic (a user's password, or a token in its place), a bearer token, or a session's cookie.

What was verified is remembered, and looked up again after a bounded time (a removed account works that long at
most), never past its own end; equal checks run once, and guesses are limited. Somebody who was verified is never kept
out by the guesses of others.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from anyio.to_thread import run_sync

from package_hunter.access import token_form
from package_hunter.access.identity import Identity, Method
from package_hunter.api.failures import FailedLogins
from package_hunter.api.logins import LoginLimits, too_many_failures
from package_hunter.api.noting import Noting
from package_hunter.api.password_check import Claim, PasswordCheck, refused
from package_hunter.config import Settings
from package_hunter.store import ci, sessions, tokens
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import MAX_NAME
from package_hunter.store.secret_box import SecretBox
from package_hunter.store.sessions import Times

log = structlog.get_logger(__name__)

_MAX_HEADER = 4_096
_MAX_CACHED = 10_000
_REALM = 'realm="package-hunter"'
BEARER = (b"www-authenticate", f"Bearer {_REALM}".encode())
CHALLENGES = ((b"www-authenticate", f'Basic {_REALM}, charset="UTF-8"'.encode()), BEARER)


@dataclass(frozen=True, slots=True)
class _Credential:
    """What a header claims: a user's name and password, or a token (then ``name`` is None)."""

    name: str | None
    secret: str


@dataclass(frozen=True, slots=True)
class _Verified:
    """What was right: ``proof`` is all that it was verified against; ``until`` it need not be looked up again
    (monotonic seconds); after ``identity.expires`` it is nothing any more."""

    identity: Identity
    proof: str
    until: float

    def holds(self) -> bool:
        """Whether it need not be looked up."""
        ends = self.identity.expires
        return self.until > time.monotonic() and (ends is None or ends > now_ms())


class Authenticator:
    """Turns what a request brings into who asks."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._seconds = settings.credential_cache_seconds
        self._times = Times.of(settings)
        self._verified: dict[bytes, _Verified] = {}
        self._running: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._limits = LoginLimits(settings.failed_logins_per_minute)
        self._passwords = PasswordCheck(store, SecretBox(settings), self._limits)
        self._secret = secrets.token_bytes(32)  # a memory dump shows no digest worth a dictionary attack
        self._noting = Noting(store)
        self.failures = FailedLogins(store)

    async def identify(self, header: bytes | None, address: str) -> Identity:
        """Whom an Authorization header shows; ApiError 401 or 429, StoreError."""
        if header is None:
            raise refused("Credentials are needed.")
        key = self._key(header)
        known = self._verified.get(key)
        if known is not None and known.holds():
            return known.identity
        credential = _read(header)
        if credential is None:
            raise self._failed(None, address)

        async def check() -> Identity | None:
            return await self._verify(key, credential, address)

        found = await self._once(key, check)
        if found is None:
            raise self._failed(credential.name, address)
        return found

    async def by_session(self, secret: str, address: str) -> tuple[Identity, str | None]:
        """Whom a session's secret shows, and its new secret where the account's rights changed since it was made;
        ApiError 401 or 429, StoreError."""
        key = self._key(b"session " + secret.encode("latin-1", "replace"))
        known = self._verified.get(key)
        if known is not None and known.holds():
            return known.identity, None
        found, fresh = await run_sync(self._find_session, secret)
        if found is None:
            self._verified.pop(key, None)
            raise self._failed(None, address)
        assert found.session is not None, "it was made of one"
        self._noting.session(found.session)
        if fresh is None:
            self._remember(key, found, str(found.session))
        return found, fresh

    async def sign_in(self, claim: Claim) -> None:
        """Whether the person is who the claim says, with password and (where there are any) one-time code; ApiError
        401 or 429. Nothing that is remembered counts."""
        stored = await self._passwords.stored(claim.name)
        if await self._passwords.verify(claim, stored) is None:
            if stored is not None:
                self._require_calm(claim.address)
            raise self._failed(claim.name, claim.address)

    async def flush(self) -> None:
        """Write what is noted beside the requests: uses, and failed logins."""
        await self._noting.written()
        await self.failures.flush()

    def forget(self) -> None:
        """Somebody's accounts were changed here: all that was verified is looked up again (not checked again)."""
        self._verified = {key: replace(known, until=0.0) for key, known in self._verified.items()}

    def stranger(self, address: str) -> None:
        """Count a secret that is nobody's; ApiError 429 where that were too many."""
        self._require_calm(address)
        self._limits.stranger(address)

    def _failed(self, name: str | None, address: str) -> Exception:
        log.warning("login failed", address=address)
        self.failures.note(name, address)
        if name is None:
            self.stranger(address)
        return refused("The credentials are wrong.")

    def _require_calm(self, address: str) -> None:
        """ApiError 429 where the address tried too much that is nobody's: all that is wrong is refused alike
        then, or it would tell which names are somebody's."""
        wait = self._limits.noisy(address)
        if wait:
            raise too_many_failures(wait)

    def _key(self, what: bytes) -> bytes:
        return hashlib.blake2b(what, key=self._secret, digest_size=32).digest()

    async def _once(self, key: bytes, check: Callable[[], Awaitable[Identity | None]]) -> Identity | None:
        task = self._running.get(key)
        if task is None:
            task = asyncio.ensure_future(check())
            self._running[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: bytes, task: asyncio.Task[Identity | None]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: that is no "never retrieved"

    async def _verify(self, key: bytes, credential: _Credential, address: str) -> Identity | None:
        """Who it is where the credential is right; ApiError 429."""
        if credential.name is None:
            return await self._verify_token(key, credential.secret)
        stored = await self._passwords.stored(credential.name)
        known = self._verified.get(key)
        if known is not None and stored is not None and known.proof == stored.proof:
            return self._remember(key, known.identity, known.proof)
        self._verified.pop(key, None)
        claim = Claim(credential.name, credential.secret, address, alone=True)
        fitted = await self._passwords.verify(claim, stored)
        if fitted is not None:
            return self._remember(key, Identity(credential.name, Method.PASSWORD), fitted.proof)
        if stored is not None:
            self._require_calm(address)
        return None

    async def _verify_token(self, key: bytes, value: str) -> Identity | None:
        found = await run_sync(self._find_token, value) if _may_be_token(value) else None
        if found is None:
            self._verified.pop(key, None)
            return None
        self._noting.token(value)
        return self._remember(key, found, found.account)

    def _remember(self, key: bytes, identity: Identity, proof: str) -> Identity:
        self._verified.pop(key, None)
        if len(self._verified) >= _MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[key] = _Verified(identity, proof, time.monotonic() + self._seconds)
        return identity

    def _find_token(self, value: str) -> Identity | None:
        with self._store.read() as session:
            token = tokens.valid_token(session, value)
            if token is None:
                return ci.find(session, value)
            return Identity(tokens.token_account(token.name), Method.TOKEN, expires=token.expires)

    def _find_session(self, secret: str) -> tuple[Identity | None, str | None]:
        with self._store.read() as session:
            live = sessions.find(session, secret, self._times)
        if live is None:
            return None, None
        fresh = None
        if live.outdated:
            with self._store.write() as session:
                fresh = sessions.rotate(session, secret, self._times)
        row = live.row
        made = Identity(
            live.account,
            Method.SESSION,
            session=row.id,
            authenticated=row.authenticated,
            expires=live.until,
            csrf=row.csrf,
        )
        return made, fresh


def _may_be_token(value: str) -> bool:
    """One with a wrong checksum is mistyped: no look-up."""
    return not value.startswith(token_form.PREFIX) or token_form.is_token(value)


def _read(header: bytes) -> _Credential | None:
    """What the header claims; None where no account could be meant. A token may stand in a password's place: the
    original's clients know nothing but HTTP Basic."""
    scheme, _, value = header.decode("latin-1").partition(" ")
    kind, value = scheme.lower(), value.strip()
    if len(header) > _MAX_HEADER or kind not in ("basic", "bearer"):
        return None
    if kind == "bearer":
        return _Credential(None, value)
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, _, password = decoded.partition(":")
    if token_form.is_token(password):
        return _Credential(None, password)
    # a NUL in a query is an error to PostgreSQL
    return _Credential(name, password) if name.isprintable() and len(name) <= MAX_NAME else None
