"""QUIC's first packets: read, since their keys follow from what they show, and refused, so that a client takes TCP.

Facts: RFC 9000 17.2, 19 (packets, frames), RFC 9001 5.2 to 5.4 (keys of Initials), RFC 9369 (version 2).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from package_hunter.decoy.sniff import client_hello_name

_ONE, _TWO = 1, 0x6B3343CF
_SALT = {
    _ONE: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    _TWO: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
}
_LABEL = {_ONE: b"quic ", _TWO: b"quicv2 "}
_INITIAL = {_ONE: 0, _TWO: 1}  # the type's two bits
_ID = 20  # bytes of a connection id, at most
_PADDING, _PING, _ACK, _CRYPTO = 0, 1, 2, 6
_HELLO = 64 << 10  # of a ClientHello that comes in pieces
_REFUSED = b"\x1c\x02\x00\x00"  # CONNECTION_CLOSE: CONNECTION_REFUSED, no frame, no reason


class NoInitialError(Exception):
    """What came is no Initial that its own keys open."""


@dataclass(frozen=True, slots=True)
class Initial:
    """An Initial that was opened; ``payload`` are its frames, ``size`` its bytes in the datagram."""

    version: int
    destination: bytes
    source: bytes
    payload: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one side's Initials."""

    key: bytes
    vector: bytes
    header: bytes


def _hmac(key: bytes, data: bytes) -> bytes:
    made = HMAC(key, SHA256())
    made.update(data)
    return made.finalize()


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of at most 32 bytes (RFC 8446 7.1)."""
    named = b"tls13 " + label
    return _hmac(secret, size.to_bytes(2, "big") + bytes((len(named),)) + named + b"\0\x01")[:size]


def keys(version: int, destination: bytes, side: str) -> Keys:
    """The keys of ``side`` ("client", "server"), from the connection id that the client first sent to."""
    secret = _expand(_hmac(_SALT[version], destination), f"{side} in".encode(), 32)
    label = _LABEL[version]
    return Keys(
        _expand(secret, label + b"key", 16),
        _expand(secret, label + b"iv", 12),
        _expand(secret, label + b"hp", 16),
    )


def _mask(header: bytes, sample: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(header), modes.ECB()).encryptor()  # noqa: S305 (the protocol's)
    return cipher.update(sample)


def _nonce(vector: bytes, number: int) -> bytes:
    return (int.from_bytes(vector, "big") ^ number).to_bytes(12, "big")


class _Bytes:
    """Takes values off the front; NoInitialError where there are too few."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise NoInitialError
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        """A variable-length integer (RFC 9000 16)."""
        first = self.take(1)
        size = 1 << (first[0] >> 6)
        return int.from_bytes(first + self.take(size - 1), "big") & ((1 << (8 * size - 2)) - 1)


def open_initial(data: bytes, first: bytes = b"") -> Initial:
    """The Initial that ``data`` begins with; ``first`` is the id that the flow's first one was sent to, where this is a
    later one. NoInitialError where it is none."""
    at = _Bytes(data)
    head = at.take(1)[0]
    version = int.from_bytes(at.take(4), "big")
    if version not in _SALT or head & 0xC0 != 0xC0 or head >> 4 & 3 != _INITIAL[version]:
        raise NoInitialError
    ids = []
    for _ in range(2):
        size = at.take(1)[0]
        if size > _ID:
            raise NoInitialError
        ids.append(at.take(size))
    at.take(at.number())  # the token
    size = at.number()
    start = at.at
    body = at.take(size)
    if len(body) < 4 + 16 + 1:
        raise NoInitialError
    payload = _opened(data[:start], body, keys(version, first or ids[0], "client"))
    return Initial(version, ids[0], ids[1], payload, start + size)


def _opened(head: bytes, body: bytes, own: Keys) -> bytes:
    mask = _mask(own.header, body[4:20])
    first = head[0] ^ mask[0] & 0x0F
    length = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(body[:length], mask[1:], strict=False))
    try:
        return AESGCM(own.key).decrypt(
            _nonce(own.vector, int.from_bytes(number, "big")),
            body[length:],
            bytes((first,)) + head[1:] + number,
        )
    except InvalidTag as error:
        raise NoInitialError from error


def seal_initial(version: int, ids: tuple[bytes, bytes], payload: bytes, own: Keys, number: int = 0) -> bytes:
    """An Initial to the first id from the second, with a packet number of one byte."""
    head = bytes((0xC0 | _INITIAL[version] << 4,)) + version.to_bytes(4, "big")
    head += b"".join(bytes((len(one),)) + one for one in ids) + b"\0"
    head += (0x4000 | 1 + len(payload) + 16).to_bytes(2, "big")
    plain = head + bytes((number,))
    sealed = AESGCM(own.key).encrypt(_nonce(own.vector, number), payload, plain)
    mask = _mask(own.header, sealed[3:19])
    return bytes((plain[0] ^ mask[0] & 0x0F,)) + plain[1:-1] + bytes((number ^ mask[1],)) + sealed


def refusal(initial: Initial, first: bytes = b"") -> bytes:
    """What tells the client at once that nobody speaks QUIC here."""
    own = keys(initial.version, first or initial.destination, "server")
    return seal_initial(initial.version, (initial.source, initial.destination[:8]), _REFUSED + bytes(16), own)


def crypto_pieces(payload: bytes) -> list[tuple[int, bytes]]:
    """The ClientHello's pieces, each with its place; NoInitialError where a frame is not an Initial's."""
    at, found = _Bytes(payload), []
    while at.at < len(payload):
        kind = at.take(1)[0]
        if kind == _CRYPTO:
            place = at.number()
            found.append((place, at.take(at.number())))
        elif kind == _ACK:
            numbers = [at.number() for _ in range(4)]
            for _ in range(min(numbers[2], len(payload))):
                at.number(), at.number()
        elif kind not in (_PADDING, _PING):
            raise NoInitialError
    return found


class Greeting:
    """The Initials of one flow: what they say, and whether there is anything else in it."""

    def __init__(self) -> None:
        self.name: str | None = None  # the server's, as the client asks for it
        self._first = b""
        self._hello: dict[int, bytes] = {}
        self._size = 0

    def hear(self, data: bytes) -> tuple[bytes, bytes] | None:
        """What stands in a datagram's Initials, and what refuses them; None where it holds anything else."""
        said, last = b"", None
        try:
            while data.strip(b"\0"):
                last = open_initial(data, self._first)
                self._first = self._first or last.destination
                said += last.payload.strip(b"\0")
                for place, piece in crypto_pieces(last.payload):
                    self._piece(place, piece)
                data = data[last.size :]
        except NoInitialError:
            return None
        return (said, refusal(last, self._first)) if last is not None else None

    def _piece(self, place: int, piece: bytes) -> None:
        if self.name or place > _HELLO or self._size + len(piece) > _HELLO or place in self._hello:
            return
        self._hello[place] = piece
        self._size += len(piece)
        whole = b""
        for start in sorted(self._hello):
            if start > len(whole):
                return
            whole = whole[:start] + self._hello[start]
        size = int.from_bytes(whole[1:4], "big")
        if whole[:1] == b"\x01" and len(whole) >= 4 + size:
            self.name = client_hello_name(b"\x16\x03\x01" + len(whole).to_bytes(2, "big") + whole)[0]
