"""Who is asking: HTTP Basic (a user's password) or a bearer token, on every route.

A password check costs 0.2 s of CPU by design, so what was verified is remembered, and looked up again after a
bounded time (a removed account works that long at most); equal checks run once, few run at a time, and guesses
are limited. Somebody who was verified is never kept out by the guesses of others: looking up whether the
stored password is still the same is cheap, and no guess.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from dataclasses import dataclass

import structlog
from anyio.to_thread import run_sync

from package_hunter.access.actor import Actor
from package_hunter.api.errors import ApiError
from package_hunter.api.failures import FailedLogins
from package_hunter.api.logins import Guess, LoginLimits, too_many_failures
from package_hunter.config import Settings
from package_hunter.store import accounts, passwords
from package_hunter.store.database import Store, StoreError
from package_hunter.store.models import MAX_NAME

log = structlog.get_logger(__name__)

_MAX_HEADER = 4_096
_MAX_CACHED = 10_000
_CHECKS_AT_ONCE = 2
_REALM = 'realm="package-hunter"'
CHALLENGES = ((b"www-authenticate", f'Basic {_REALM}, charset="UTF-8"'.encode()),
              (b"www-authenticate", f"Bearer {_REALM}".encode()))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Credential:
    """What a header claims: a user's name and password, or a token (then ``name`` is None)."""

    name: str | None
    secret: str


@dataclass(frozen=True, slots=True)
class _Verified:
    """A header that was right: ``proof`` is the stored password that it fitted; ``until`` it need not be
    looked up again (monotonic seconds)."""

    principal: str
    proof: str
    until: float


class Authenticator:
    """Turns an Authorization header into the name of an account."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._seconds = settings.credential_cache_seconds
        self._verified: dict[bytes, _Verified] = {}
        self._running: dict[bytes, asyncio.Task[str | None]] = {}
        self._slots = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._limits = LoginLimits(settings.failed_logins_per_minute)
        self._took = 0.2  # seconds of the last password check
        self._secret = secrets.token_bytes(32)  # a memory dump shows no digest worth a dictionary attack
        self._used: set[str] = set()  # tokens whose use is not noted yet
        self._noting: asyncio.Task[None] | None = None
        self.failures = FailedLogins(store)

    async def name(self, header: bytes | None, address: str) -> str:
        """The account's name; ApiError 401 or 429, StoreError."""
        if header is None:
            raise _refused("Credentials are needed.")
        key = hashlib.blake2b(header, key=self._secret, digest_size=32).digest()
        known = self._verified.get(key)
        if known is not None and known.until > time.monotonic():
            return known.principal
        credential = _read(header)
        name = None if credential is None else await self._verify_once(key, credential, address)
        if name is None:
            log.warning("login failed", address=address)
            self.failures.note(None if credential is None else credential.name, address)
            if credential is None or credential.name is None:
                self._require_calm(address)
                self._limits.stranger(address)
            raise _refused("The credentials are wrong.")
        return name

    def _require_calm(self, address: str) -> None:
        """ApiError 429 where the address tried too much that is nobody's: all that is wrong is refused alike
        then, or it would tell which names are somebody's."""
        wait = self._limits.noisy(address)
        if wait:
            raise too_many_failures(wait)

    async def _verify_once(self, key: bytes, credential: _Credential, address: str) -> str | None:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._verify(key, credential, address))
            self._running[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: bytes, task: asyncio.Task[str | None]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: that is no "never retrieved"

    async def _verify(self, key: bytes, credential: _Credential, address: str) -> str | None:
        """The account's name where the credential is right; ApiError 429."""
        if credential.name is None:
            return await self._verify_token(key, credential.secret)
        stored = await run_sync(self._stored_password, credential.name)
        known = self._verified.get(key)
        if known is not None and known.proof == stored:
            return self._remember(key, known.principal, known.proof)
        self._verified.pop(key, None)
        guess = self._limits.begin(credential.name, address, stored is not None)
        failed = False
        try:
            failed = not await self._check(credential.secret, stored, guess)
        except ApiError:
            failed = True
            raise
        finally:
            self._limits.end(guess, failed)
        if stored is not None and not failed:
            if passwords.is_outdated(stored):
                stored = await self._renew(credential, stored, address)
            return self._remember(key, credential.name, stored)
        if stored is not None:
            self._require_calm(address)
        return None

    async def _check(self, password: str, stored: str | None, guess: Guess) -> bool:
        """Whether the password is the stored one; takes as long where there is no such user. ApiError 429."""
        if guess.refused:
            await asyncio.sleep(self._took)  # no CPU for more of these, but the same time
            raise too_many_failures(guess.refused)
        began = time.monotonic()
        async with self._slots:
            fits = await run_sync(passwords.password_fits, password, stored or passwords.UNKNOWN_USER)
        self._took = time.monotonic() - began
        return fits and stored is not None

    async def _renew(self, credential: _Credential, stored: str, address: str) -> str:
        """Keep a right password by a hash of today's making; what is stored now. The login never fails by this."""
        name = credential.name
        assert name is not None, "tokens have no passwords"
        async with self._slots:
            new = await run_sync(passwords.hash_password, credential.secret)
        try:
            done = await run_sync(self._write_hash, name, stored, new, Actor(name, address))
        except StoreError as error:
            log.warning("password not kept by a newer hash yet", account=name, error=str(error))
            return stored
        return new if done else stored

    async def _verify_token(self, key: bytes, value: str) -> str | None:
        owner = await run_sync(self._token_owner, value)
        if owner is None:
            self._verified.pop(key, None)
            return None
        self._used.add(value)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_uses())
        return self._remember(key, f"token:{owner}", owner)

    def _remember(self, key: bytes, principal: str, proof: str) -> str:
        self._verified.pop(key, None)
        if len(self._verified) >= _MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[key] = _Verified(principal, proof, time.monotonic() + self._seconds)
        return principal

    def _stored_password(self, name: str) -> str | None:
        with self._store.read() as session:
            return accounts.stored_password(session, name)

    def _write_hash(self, name: str, old: str, new: str, by: Actor) -> bool:
        with self._store.write() as session:
            return accounts.renew_hash(session, name, old, new, by)

    def _token_owner(self, value: str) -> str | None:
        with self._store.read() as session:
            return accounts.find_token(session, value)

    async def _note_uses(self) -> None:
        """Note when tokens were used, apart from their requests: those need no store that can be written."""
        while self._used:
            values, self._used = self._used, set()
            try:
                await run_sync(self._write_uses, values)
            except StoreError as error:
                log.warning("use of tokens not noted", error=str(error))

    def _write_uses(self, values: set[str]) -> None:
        with self._store.write() as session:
            for value in values:
                accounts.token_owner(session, value)


def _read(header: bytes) -> _Credential | None:
    """What the header claims; None where no account could be meant."""
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
    # a NUL in a query is an error to PostgreSQL
    return _Credential(name, password) if name.isprintable() and len(name) <= MAX_NAME else None


def _refused(reason: str) -> ApiError:
    advice = "Make some: package-hunter user add NAME (HTTP Basic) or token add NAME (bearer token)."
    return ApiError(401, reason, advice)
