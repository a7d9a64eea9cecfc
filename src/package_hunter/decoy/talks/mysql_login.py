"""MySQL's first packets: the greeting, and what a client says of itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import cycle

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_PLUGIN = b"caching_sha2_password"
FULL_LOGIN = b"\x01\x04"  # of that plugin: send the password itself
_WANTS_KEY = b"\x02"
_KEY_BITS = 2048
# long password, found rows, long flag, connect with db, ODBC, protocol 4.1, interactive, SSL, transactions, secure
# connection, multi statements and results, plugins, connect attributes, length of plugin data; never local files
_CAPABILITIES = (
    0x1
    | 0x2
    | 0x4
    | 0x8
    | 0x40
    | 0x200
    | 0x400
    | 0x800
    | 0x2000
    | 0x8000
    | 0x7 << 16
    | 0x8 << 16
    | 0x30 << 16
)
_PROTOCOL_41, _PLUGINS, _SECURE, _DATABASE, _LONG_DATA = 0x200, 0x80000, 0x8000, 0x8, 0x200000


def greeting(nonce: bytes) -> bytes:
    """HandshakeV10, with twenty bytes of ``nonce``."""
    low, high = (_CAPABILITIES & 0xFFFF).to_bytes(2, "little"), (_CAPABILITIES >> 16).to_bytes(2, "little")
    head = b"\x0a8.0.40\0" + (4711).to_bytes(4, "little") + nonce[:8] + b"\0"
    return head + low + b"\xff\x02\x00" + high + b"\x15" + bytes(10) + nonce[8:] + b"\0" + _PLUGIN + b"\0"


@cache  # made when it is first asked for: a tenth of a second
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, _KEY_BITS)


class Login:
    """What a client says after the greeting; ``secured`` inside TLS."""

    def __init__(self, nonce: bytes, secured: bool) -> None:
        self._nonce, self._secured = nonce, secured
        self._encrypted = False
        self.asks_password = False  # whether it can be asked for the password itself

    def understands(self, said: bytes) -> bool:
        """Whether it is a HandshakeResponse41."""
        abilities = int.from_bytes(said[:4], "little")
        if len(said) < 33 or not abilities & _PROTOCOL_41:
            return False
        rest = said[32:].partition(b"\0")[2]  # after the user's name
        size = rest[0] if rest else 0
        rest = rest[1 + size :]
        if abilities & _DATABASE:
            rest = rest.partition(b"\0")[2]
        plugin = rest.partition(b"\0")[0] if abilities & _PLUGINS else b""
        self.asks_password = plugin == _PLUGIN and size > 0
        return True

    def key(self, answer: bytes) -> Callable[[], bytes] | None:
        """What makes the packet with our public key, where ``answer`` asks for it."""
        if answer != _WANTS_KEY or self._secured:
            return None
        self._encrypted = True
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return lambda: b"\x01" + _key().public_key().public_bytes(serialization.Encoding.PEM, form)

    def password(self, answer: bytes) -> bytes:
        """The password in ``answer``; as it came where it is not to be had."""
        if not self._encrypted:
            return answer.rstrip(b"\0")
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 (the protocol's)
        try:
            masked = _key().decrypt(answer, oaep)
        except ValueError:
            return answer
        return bytes(a ^ b for a, b in zip(masked, cycle(self._nonce + b"\0"), strict=False)).rstrip(b"\0")
