"""The form of a sealed artefact: AES-256-GCM (NIST SP 800-38D) in numbered chunks.

    magic (8 bytes) | id of the key (8) | salt (16) | chunk | chunk | …

Each chunk is 256 KiB of content (the last one: what is left, perhaps nothing) and a tag of 16 bytes. Its key is made
for this artefact alone, by HKDF-SHA256 of the host's key and the salt, so no nonce ever meets another content; the
nonce is three zero bytes, one that says whether this is the last chunk, and the chunk's number (8 bytes, big endian).
Kind, digest and header are associated data of every chunk. So a chunk that was changed, moved, left out, or that
belongs to another artefact or another kind, does not open (as in STREAM, Hoang et al. 2015).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from package_hunter.storage.errors import DamagedError
from package_hunter.storage.keys import ID_BYTES, Key, Keys

MAGIC = b"PHSEAL1\n"
_SALT = 16
HEADER = len(MAGIC) + ID_BYTES + _SALT
CHUNK = 256 << 10
TAG = 16


def sealed_size(size: int) -> int:
    """How long the sealed form of ``size`` bytes is."""
    return HEADER + size + TAG * max(1, -(-size // CHUNK))


def seal(chunks: Iterable[bytes], key: Key, what: str) -> Iterator[bytes]:
    """The sealed form of the content, piece by piece; ``what`` names the artefact."""
    header = MAGIC + key.id + secrets.token_bytes(_SALT)
    cipher, bound = _cipher(key, header), header + what.encode()
    yield header
    for number, (chunk, last) in enumerate(_regular(chunks, CHUNK)):
        yield cipher.encrypt(_nonce(number, last), chunk, bound)


def unseal(pieces: Iterable[bytes], keys: Keys, what: str) -> Iterator[bytes]:
    """The content, each chunk once it has been proven; DamagedError."""
    blocks = _after_header(iter(pieces))
    header = next(blocks)[0]
    key = keys.get(header[len(MAGIC) : len(MAGIC) + ID_BYTES])
    if len(header) != HEADER or not header.startswith(MAGIC):
        raise DamagedError(f"The artefact {what} is cut off, or is none.")
    if key is None:
        raise DamagedError(f"The artefact {what} is sealed with a key that is not in the key file.")
    cipher, bound = _cipher(key, header), header + what.encode()
    for number, (block, last) in enumerate(blocks):
        try:
            yield cipher.decrypt(_nonce(number, last), block, bound)
        except (InvalidTag, ValueError) as error:
            raise DamagedError(f"The artefact {what} was changed where it lies.") from error


def _after_header(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """First the header, then each sealed chunk and whether it is the last."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= HEADER:
            break
    yield bytes(held[:HEADER]), False
    del held[:HEADER]

    def rest() -> Iterator[bytes]:
        yield bytes(held)
        yield from pieces

    yield from _regular(rest(), CHUNK + TAG)


def _regular(chunks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in chunks of ``size``, with whether each is the last; one at least, which may be empty."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        whole = max(0, (len(held) - 1) // size)  # one byte stays: the last chunk is known by what follows
        for start in range(0, whole * size, size):
            yield bytes(held[start : start + size]), False
        del held[: whole * size]
    yield bytes(held), True


def _cipher(key: Key, header: bytes) -> AESGCM:
    made = HKDF(SHA256(), 32, salt=header[-_SALT:], info=b"package-hunter artefact 1").derive(key.secret)
    return AESGCM(made)


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">3xBQ", last, number)
