"""The chain: what is hashed and signed of an entry. A seal's digest is of the entry, its position and the digest before
it, as canonical JSON (RFC 8785); its signature is of the digest."""

from __future__ import annotations

import base64

# rfc8785 sorts by it. Loaded now: where SQLite's file is the API's user's, entries are sealed with that user's rights
# to files, to whom a Python below root's home is out of reach
import encodings.utf_16_be  # noqa: F401
import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from package_hunter.model import jcs
from package_hunter.store.history_tables import HistoryRow

START = "0" * 64
"""What stands for the digest before the first one."""
_CONTEXT = b"package-hunter history seal 1\n"  # so that no signature of ours passes for one of something else


@dataclass(frozen=True, slots=True)
class Seal:
    """``position`` counts from 1; ``previous`` is the digest before."""

    position: int
    previous: str


def entry_values(row: HistoryRow) -> dict[str, Any]:
    """The entry as JSON has it."""
    return {
        "id": row.id,
        "time": row.time,
        "who": row.who,
        "origin": row.origin,
        "action": row.action,
        "object": row.object,
        "project": None if row.project_id is None else str(row.project_id),
        "before": row.before,
        "after": row.after,
        "why": row.why,
    }


def digest(row: HistoryRow, seal: Seal) -> str:
    """SHA-256 (hex) of the entry in its place."""
    place = {"position": seal.position, "previous": seal.previous}
    return hashlib.sha256(jcs.dumps(entry_values(row) | place)).hexdigest()


def sign(key: Ed25519PrivateKey, of: str) -> str:
    """The digest's signature, base64."""
    return base64.b64encode(key.sign(_CONTEXT + of.encode())).decode()


def signed(key: Ed25519PublicKey, of: str, signature: str) -> bool:
    """Whether this is the key's signature of the digest."""
    try:
        key.verify(base64.b64decode(signature, validate=True), _CONTEXT + of.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
