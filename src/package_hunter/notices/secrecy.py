"""Secrets of destinations (tokens, signing keys, addresses that are secrets by themselves), encrypted at rest.

By HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) for a key of this server: whoever can write a destination
needs its public half alone, so the API's process, which strangers speak to, can keep a secret and never read one. The
private half, ``DATA_DIR/notices/key.pem``, belongs to whoever starts the server; the deliverer reads it before it gives
up its rights. What is encrypted is bound to its destination's id: copied to another one it cannot be read.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from package_hunter.config import Settings
from package_hunter.errors import HostError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_CONTEXT = b"package-hunter destination 1\n"
_MAX_BYTES = 64 << 10


def folder(settings: Settings) -> Path:
    """Where the key lies."""
    return settings.data_dir / "notices"


def prepare(settings: Settings) -> None:
    """Make the key where there is none; HostError. Two that start at once come to one key."""
    place = folder(settings)
    try:
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not (place / "key.pem").exists():
            _make(place)
        public = place / "public.pem"
        if not public.exists():
            _publish(place, private_key(settings).public_key())
    except OSError as error:
        raise HostError(
            f"The folder {place} cannot be used ({error.strerror}).", "Run as its owner: sudo."
        ) from error


def _make(place: Path) -> None:
    key = X25519PrivateKey.generate()
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    fresh = place / f"key-{secrets.token_hex(8)}"
    _write(fresh, key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain), 0o600)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, place / "key.pem")
    fresh.unlink()


def _publish(place: Path, key: X25519PublicKey) -> None:
    fresh = place / f"public-{secrets.token_hex(8)}"
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    _write(fresh, key.public_bytes(encoding, form), 0o644)
    fresh.replace(place / "public.pem")


def _write(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def private_key(settings: Settings) -> X25519PrivateKey:
    """The key that reads; HostError."""
    path = folder(settings) / "key.pem"
    try:
        found = serialization.load_pem_private_key(path.read_bytes()[:_MAX_BYTES], None)
    except (OSError, ValueError) as error:
        raise HostError(
            f"The key of the destinations' secrets, {path}, cannot be used ({type(error).__name__}).",
            "Run as its owner (sudo), or put it back from a backup; else add the destinations anew.",
        ) from error
    if not isinstance(found, X25519PrivateKey):
        raise HostError(f"{path} holds no X25519 key.", "Put it back from a backup.")
    return found


def public_key(settings: Settings) -> X25519PublicKey:
    """The key that writes; HostError."""
    path = folder(settings) / "public.pem"
    try:
        found = serialization.load_pem_public_key(path.read_bytes()[:_MAX_BYTES])
    except (OSError, ValueError) as error:
        raise HostError(
            f"The public key {path} cannot be used ({type(error).__name__}).",
            "package-hunter serve, or notices add as root, makes it.",
        ) from error
    if not isinstance(found, X25519PublicKey):
        raise HostError(f"{path} holds no X25519 key.", "Move it away; it is made anew.")
    return found


def key_name(key: X25519PublicKey) -> str:
    """What encrypted secrets call the key: 16 hex digits of its digest."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def seal(key: X25519PublicKey, owner: uuid.UUID, values: Mapping[str, Any]) -> str:
    """The values (JSON), encrypted for the key and bound to the destination: ``KEY:BASE64``."""
    data = _SUITE.encrypt(json.dumps(dict(values)).encode(), key, _CONTEXT + owner.bytes)
    return f"{key_name(key)}:{base64.b64encode(data).decode()}"


def open_sealed(key: X25519PrivateKey, owner: uuid.UUID, sealed: str) -> dict[str, Any]:
    """The values; HostError where they are another key's, another destination's, or were changed."""
    name, _, data = sealed.partition(":")
    try:
        plain = _SUITE.decrypt(base64.b64decode(data, validate=True), key, _CONTEXT + owner.bytes)
        return dict(json.loads(plain))
    except (ValueError, TypeError, InvalidTag) as error:
        mine = key_name(key.public_key())
        why = "another key's" if name != mine else "damaged, or were moved there"
        raise HostError(
            f"The destination's secrets are {why}.", "Remove the destination and add it anew."
        ) from error
