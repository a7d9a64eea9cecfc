"""The sealer's key: ``DATA_DIR/audit/key.pem``, for the sealer alone; the API's process cannot read it.

Beside it lie the public half, and ``head.json``: the last seal, which tells when a chain lost its end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from package_hunter import given
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError

_MAX_BYTES = 64 << 10


def folder(settings: Settings) -> Path:
    """Where the key lies."""
    return settings.data_dir / "audit"


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key, made where there is none; HostError where it cannot be read."""
    place = folder(settings)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / "key.pem"
        if not path.exists():
            _make(place)
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise HostError(
            f"The history's key {place / 'key.pem'} cannot be used ({error}).",
            "Run as its owner, or move it away: a new one is made, and the old public half still verifies.",
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise HostError("The history's key is no Ed25519 key.", f"Move {place / 'key.pem'} away.")
    return found


def _make(place: Path) -> None:
    """Two that start at once come to one key: the first to put its file there."""
    key = Ed25519PrivateKey.generate()
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    data = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    _write(place / f"public-{key_name(key.public_key())}.pem", public_text(key.public_key()))
    fresh = place / f"key-{secrets.token_hex(8)}"
    _write(fresh, data)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, place / "key.pem")
    fresh.unlink()


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def public_text(key: Ed25519PublicKey) -> bytes:
    """The public half as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_name(key: Ed25519PublicKey) -> str:
    """What seals call the key: 32 hex digits of its digest."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:32]


def public_keys(settings: Settings, files: Iterable[Path] = ()) -> dict[str, Ed25519PublicKey]:
    """Those of this machine, and of the files (other servers'), by name; UsageError."""
    return files_keys([*sorted(folder(settings).glob("public-*.pem")), *files])


def files_keys(files: Iterable[Path]) -> dict[str, Ed25519PublicKey]:
    """Public keys of PEM files, by name; UsageError."""
    found = {}
    for path in files:
        try:
            key = serialization.load_pem_public_key(given.read(path, _MAX_BYTES))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} holds no public key ({error}).", "Give a PEM file.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise UsageError(f"{path} holds no Ed25519 key.", "Give the public half of a sealer's key.")
        found[key_name(key)] = key
    return found


def note_head(settings: Settings, head: dict[str, Any]) -> None:
    """Keep the last seal apart from the database."""
    fresh = folder(settings) / f"head-{secrets.token_hex(8)}"
    _write(fresh, json.dumps(head).encode())
    fresh.replace(folder(settings) / "head.json")


def head(path: Path) -> dict[str, Any] | None:
    """A seal that was kept (``head.json``, or an exported checkpoint); None where there is no file; UsageError."""
    try:
        data = json.loads(given.read(path, _MAX_BYTES))
        return {"position": int(data["position"]), "digest": str(data["digest"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds no checkpoint ({error}).", "Make one: audit checkpoint.") from error
