"""Checks of passwords and one-time codes: few at a time, limited guesses, and the same time for every name.

A check costs 0.2 s of CPU by design. Looking up whether the stored password is still the same is cheap, and no guess.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog
from anyio.to_thread import run_sync

from package_hunter.access.actor import Actor
from package_hunter.api.errors import ApiError
from package_hunter.api.logins import Guess, LoginLimits, too_many_failures
from package_hunter.store import accounts, members, passwords, totp
from package_hunter.store.database import Store, StoreError
from package_hunter.store.secret_box import SecretBox

log = structlog.get_logger(__name__)

_CHECKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a user: the password's hash, and whether one-time codes are needed too."""

    password: str
    needs_code: bool

    @property
    def proof(self) -> str:
        """All that a verified password was verified against."""
        return f"{self.needs_code} {self.password}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says: a user's name and password, a one-time (or recovery) code, and from where. ``alone``: the
    password by itself, as in HTTP Basic, where no code can be told."""

    name: str
    password: str
    address: str
    code: str | None = None
    alone: bool = False


class PasswordCheck:
    """Of one server process."""

    def __init__(self, store: Store, box: SecretBox, limits: LoginLimits) -> None:
        self._store, self._box, self._limits = store, box, limits
        self._slots = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._took = 0.2  # seconds of the last password check

    async def stored(self, name: str) -> Stored | None:
        """What is kept of this user now; None where there is none, or none with a password of ours."""
        return await run_sync(self._stored, name)

    def _stored(self, name: str) -> Stored | None:
        with self._store.read() as session:
            password = accounts.stored_password(session, name)
            if password is None:
                return None
            account = members.account(session, name)
            return Stored(password, account is not None and totp.is_on(session, account))

    async def verify(self, claim: Claim, stored: Stored | None) -> Stored | None:
        """What the claim fitted, or None; ApiError 429. A right password counts as wrong where its code is."""
        guess = self._limits.begin(claim.name, claim.address, stored is not None)
        failed = True
        try:
            failed = not await self._fits(claim, stored, guess)
        finally:
            self._limits.end(guess, failed)
        if failed or stored is None:
            return None
        if passwords.is_outdated(stored.password):
            return Stored(await self._renew(claim, stored.password), stored.needs_code)
        return stored

    async def _fits(self, claim: Claim, stored: Stored | None, guess: Guess) -> bool:
        """Takes as long where there is no such user."""
        if guess.refused:
            await asyncio.sleep(self._took)  # no CPU for more of these, but the same time
            raise too_many_failures(guess.refused)
        began = time.monotonic()
        against = passwords.UNKNOWN_USER if stored is None else stored.password
        async with self._slots:
            fits = await run_sync(passwords.password_fits, claim.password, against)
        self._took = time.monotonic() - began
        if not fits or stored is None:
            return False
        if not stored.needs_code:
            return True
        return not claim.alone and await run_sync(self._code_fits, claim)

    def _code_fits(self, claim: Claim) -> bool:
        with self._store.write() as session:
            account = members.account(session, claim.name)
            if account is None:
                return False
            by = Actor(claim.name, claim.address)
            return totp.accept(session, self._box, account, claim.code, by)

    async def _renew(self, claim: Claim, stored: str) -> str:
        """Keep a right password by a hash of today's making; what is stored now. The login never fails by this."""
        async with self._slots:
            new = await run_sync(passwords.hash_password, claim.password)
        try:
            done = await run_sync(self._write_hash, claim.name, stored, new, Actor(claim.name, claim.address))
        except StoreError as error:
            log.warning("password not kept by a newer hash yet", account=claim.name, error=str(error))
            return stored
        return new if done else stored

    def _write_hash(self, name: str, old: str, new: str, by: Actor) -> bool:
        with self._store.write() as session:
            return accounts.renew_hash(session, name, old, new, by)


def refused(reason: str) -> ApiError:
    """401, in the same words whatever was wrong: which half was right is nobody's business."""
    advice = (
        "Make some: package-hunter user add NAME (HTTP Basic) or token add NAME (bearer token). A user with one-time "
        "codes signs in by POST /api/v1/session, and scripts use a token; ten wrong codes lock an account "
        "(package-hunter user unlock)."
    )
    return ApiError(401, reason, advice)
