"""Files that are hostile, made fit to be handed out: nothing that opens them by accident, or deletes them on the way,
finds what it looks for. Either a ZIP under the password that all analysts use, or encrypted to one reader (age).

The ZIP is of WinZip's AE-2 with AES-256 (winzip.com/en/support/aes-encryption), one stored member, named by its digest:
7-Zip and pyzipper open it. age: age-encryption.org/v1.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

import pyrage
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from package_hunter.errors import UsageError

PASSWORD = "infected"
MAX_RECIPIENT = 1_024
_CHUNK = 1 << 16
_BLOCK, _SALT, _CHECK, _TAG, _KEY = 16, 16, 2, 10, 32
_ITERATIONS = 1_000  # AE-2's own number: the password is known to everybody
_AES, _STORED_INSIDE = 99, 0
_VERSION_NEEDED, _ENCRYPTED = 51, 1
_EXTRA = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, _STORED_INSIDE)
_DATE = (1 << 5) | 1  # 1980-01-01


def zip_size(size: int, name: str) -> int:
    """Bytes of the ZIP of a file of ``size`` bytes whose digest is ``name``."""
    head, central = 30 + len(name) + len(_EXTRA), 46 + len(name) + len(_EXTRA)
    return head + _inside(size) + central + 22


def _inside(size: int) -> int:
    return _SALT + _CHECK + size + _TAG


def zipped(file: BinaryIO, size: int, name: str) -> Iterator[bytes]:
    """The ZIP, piece by piece; ``name`` is the digest (ASCII). ValueError where ``file`` has not ``size`` bytes."""
    head = _header(_inside(size), size, name)
    yield b"PK\x03\x04" + head + name.encode() + _EXTRA
    yield from _encrypted(file, size)
    offset = 30 + len(name) + len(_EXTRA) + _inside(size)
    central = struct.pack("<4sH", b"PK\x01\x02", _VERSION_NEEDED) + head
    central += struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name.encode() + _EXTRA
    yield central + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1, 1, len(central), offset, 0)


def _header(packed: int, size: int, name: str) -> bytes:
    """What both headers have; AE-2 has no CRC."""
    return struct.pack(
        "<HHHHHLLLHH",
        *(_VERSION_NEEDED, _ENCRYPTED, _AES, 0, _DATE, 0, packed, size, len(name), len(_EXTRA)),
    )


def _encrypted(file: BinaryIO, size: int) -> Iterator[bytes]:
    salt = os.urandom(_SALT)
    made = hashlib.pbkdf2_hmac("sha1", PASSWORD.encode(), salt, _ITERATIONS, 2 * _KEY + _CHECK)
    key, mac_key, check = made[:_KEY], made[_KEY : 2 * _KEY], made[2 * _KEY :]
    yield salt + check
    mac, blocks, left = hmac.new(mac_key, digestmod=hashlib.sha1), 0, size
    while left:
        chunk = _exactly(file, min(_CHUNK, left))
        left -= len(chunk)
        number = -(-len(chunk) // _BLOCK)
        stream = _key_stream(key, blocks + 1, number)
        blocks += number
        sealed = _xor(chunk, stream[: len(chunk)])
        mac.update(sealed)
        yield sealed
    if file.read(1):
        raise ValueError("the file is longer than it was")
    yield mac.digest()[:_TAG]


def _exactly(file: BinaryIO, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = file.read(size - len(found))
        if not piece:
            raise ValueError("the file is shorter than it was")
        found += piece
    return bytes(found)


def _key_stream(key: bytes, first: int, number: int) -> bytes:
    """AES in counter mode, with the counter in little endian as WinZip has it, which no library knows."""
    counters = b"".join(n.to_bytes(_BLOCK, "little") for n in range(first, first + number))
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (a block at a time, as said)
    return encryptor.update(counters) + encryptor.finalize()


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def for_reader(file: BinaryIO, recipient: str) -> bytes:
    """The file, encrypted to an age recipient (``age1…``, or an SSH public key); UsageError where it is none."""
    out = io.BytesIO()
    pyrage.encrypt_io(file, out, [_recipient(recipient)])
    return out.getvalue()


def check(recipient: str) -> None:
    """UsageError where it is no recipient."""
    _recipient(recipient)


def _recipient(text: str) -> object:
    text = text.strip()
    try:
        if len(text) <= MAX_RECIPIENT and text.startswith("age1"):
            return pyrage.x25519.Recipient.from_str(text)
        if len(text) <= MAX_RECIPIENT and text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text)
    except (pyrage.RecipientError, ValueError) as error:
        raise UsageError(f"This is no age recipient ({error}).", _ADVICE) from error
    raise UsageError("This is no age recipient.", _ADVICE)


_ADVICE = "Give age1… (age-keygen), or an SSH public key of type ssh-ed25519 or ssh-rsa."
