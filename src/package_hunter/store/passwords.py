"""How passwords are kept: argon2id. What scrypt made before fits on, and is made anew when its owner logs in."""

from __future__ import annotations

import base64
import hashlib
import hmac

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

MAX_PASSWORD_BYTES = 1_024
MIN_PASSWORD_CHARS = 8
_MAX_MEMORY = 64 << 20  # bytes that a check by scrypt may take
# OWASP's password storage cheat sheet asks for 19 MiB and two passes at least. More passes make a check cost what one
# by the old scrypt does (about 0.2 s): else its time would tell which names are those of users with old hashes.
_ARGON2 = PasswordHasher(
    time_cost=16, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)


def hash_password(password: str) -> str:
    """``$argon2id$v=…$m=…,t=…,p=…$salt$hash`` of the password."""
    return _ARGON2.hash(_bytes(password))


def password_fits(password: str, stored: str) -> bool:
    """Whether the password is the stored one. Takes about 0.2 s of CPU, by design."""
    if len(_bytes(password)) > MAX_PASSWORD_BYTES:
        return False
    if stored.startswith("scrypt$"):
        return _fits_scrypt(password, stored)
    try:
        return _ARGON2.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash is not made as one would be today."""
    return stored.startswith("scrypt$") or _ARGON2.check_needs_rehash(stored)


def kind_of(stored: str) -> str:
    """What made the hash: ``scrypt``, ``argon2id``."""
    return stored.lstrip("$").partition("$")[0]


def _fits_scrypt(password: str, stored: str) -> bool:
    _, cost, block, rounds, salt, digest = stored.split("$")
    found = hashlib.scrypt(
        _bytes(password),
        salt=base64.b64decode(salt),
        n=int(cost),
        r=int(block),
        p=int(rounds),
        maxmem=_MAX_MEMORY,
        dklen=32,
    )
    return hmac.compare_digest(found, base64.b64decode(digest))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _nobodys() -> str:
    zeros = [base64.b64encode(bytes(size)).decode().rstrip("=") for size in (16, 32)]
    cost = f"m={_ARGON2.memory_cost},t={_ARGON2.time_cost},p={_ARGON2.parallelism}"
    return "$".join(["", "argon2id", "v=19", cost, *zeros])


UNKNOWN_USER = _nobodys()
"""What an unknown user's password is checked against, so that the answer takes as long as for a known one."""
