"""Secrets that must be read again (seeds of one-time codes, a provider's client secret), sealed with a key that is not
in the database: a copy of it, a dump or a backup, gives none of them away.

The key is ``DATA_DIR/store/secret.key``: 32 random bytes, made when first needed, the API's user's alone. Servers on
several machines need the same file. A sealed value is a version byte, 12 bytes of nonce, and AES-256-GCM's text and
tag over the secret, with ``what`` bound to it (RFC 5116).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from package_hunter.acting import acting_as_owner
from package_hunter.config import Settings
from package_hunter.store.errors import StoreError

_VERSION = b"\x01"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_TOLD = "The store's key cannot be used."
_ADVICE = "Put it back from a copy; without it one-time codes and providers must be set up anew."


class SecretBox:
    """Seals and opens; ``what`` names what a value is and whose, so that it fits nowhere else."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir / "store"

    def seal(self, secret: bytes, what: str) -> bytes:
        """The secret, sealed; StoreError."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self._key()).encrypt(nonce, secret, what.encode())

    def open(self, sealed: bytes, what: str) -> bytes:
        """The secret; StoreError where it was sealed by another key, or as something else."""
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise InvalidTag
            return AESGCM(self._key()).decrypt(nonce, text, what.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError(f"{self._path} does not fit what is stored.", _ADVICE, _TOLD) from error

    @property
    def _path(self) -> Path:
        return self._folder / "secret.key"

    def _key(self) -> bytes:
        """Read, or made: of two that make it at once the first wins."""
        with acting_as_owner(self._folder):
            try:
                if not os.path.lexists(self._path):
                    self._make()
                fd = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                with os.fdopen(fd, "rb") as file:
                    whole = stat.S_ISREG(os.fstat(fd).st_mode)
                    key = file.read(_KEY_BYTES + 1) if whole else b""
            except OSError as error:
                raise StoreError(
                    f"{self._path} cannot be used ({error.strerror}).", _ADVICE, _TOLD
                ) from error
        if len(key) != _KEY_BYTES:
            raise StoreError(f"{self._path} holds no key.", _ADVICE, _TOLD)
        return key

    def _make(self) -> None:
        fresh = self._folder / f"key-{secrets.token_hex(8)}"
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(fresh, self._path)
        finally:
            fresh.unlink()
