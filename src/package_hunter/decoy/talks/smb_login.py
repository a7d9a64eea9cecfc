"""SMB's login: NTLM, in SPNEGO or bare. Everybody is let in, as a guest.

A login by NTLM proves a password and does not show it, so no key can be agreed on with who has one: a guest's session
needs none, and nothing in it is signed or encrypted.
Facts: MS-NLMP 2.2.1, MS-SPNG 2.2, RFC 4178 4.2.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from package_hunter.decoy.talks.ber import element

_SPNEGO, _NTLM = b"\x2b\x06\x01\x05\x05\x02", b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
_BEGINS = b"NTLMSSP\0"
_NEGOTIATE, _CHALLENGE, _AUTHENTICATE = 1, 2, 3
_COMPLETED, _INCOMPLETE = 0, 1
_OID, _OCTETS, _SEQUENCE, _ENUMERATED = 0x06, 0x04, 0x30, 0x0A
# UNICODE, REQUEST_TARGET, SIGN, SEAL, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY, VERSION, 128, KEY_EXCH, 56: as asked
_AS_ASKED = (
    0x1 | 0x4 | 0x10 | 0x20 | 0x200 | 0x8000 | 0x80000 | 0x2000000 | 0x20000000 | 0x40000000 | 0x80000000
)
_OURS = 0x1 | 0x200 | 0x20000 | 0x800000  # UNICODE, NTLM, TARGET_TYPE_SERVER, TARGET_INFO
_TEXTS = (28, 36, 44)  # where an AUTHENTICATE names its domain, user and workstation


def offered() -> bytes:
    """What a server says first: NTLM is spoken."""
    ways = element(0xA0, element(_SEQUENCE, element(_OID, _NTLM)))
    return element(0x60, element(_OID, _SPNEGO), element(0xA0, element(_SEQUENCE, ways)))


def answered(token: bytes, name: str) -> tuple[bytes, bool, bytes]:
    """What is said to a client's token, whether it is logged in now, and what it said of itself in UTF-8. ``name``
    is our own."""
    at = token.find(
        _BEGINS
    )  # SPNEGO's wrapping says nothing that matters, and every client's is a little different
    if at < 0:  # another way was tried first
        return _wrapped(_INCOMPLETE), False, b""
    message, bare = token[at:], at == 0
    kind = int.from_bytes(message[8:12], "little")
    if kind == _NEGOTIATE:
        asked = int.from_bytes(message[12:16], "little")
        challenge = _challenge(asked, name.split(".")[0][:15] or "SERVER")
        return challenge if bare else _wrapped(_INCOMPLETE, challenge), False, b""
    if kind == _AUTHENTICATE:
        return b"" if bare else _wrapped(_COMPLETED), True, b"\n".join(_texts(message))
    return _wrapped(_INCOMPLETE), False, b""


def _challenge(asked: int, name: str) -> bytes:
    name_ = name.upper().encode("utf-16-le")
    facts = b"".join(struct.pack("<HH", kind, len(name_)) + name_ for kind in (2, 1)) + bytes(4)
    flags = asked & _AS_ASKED | _OURS
    start = 56
    return (
        _BEGINS
        + struct.pack("<IHHIQ", _CHALLENGE, len(name_), len(name_), start, flags)[:-4]
        + os.urandom(8)
        + bytes(8)
        + struct.pack("<HHI", len(facts), len(facts), start + len(name_))
        + bytes((6, 1, 0, 0, 0, 0, 0, 15))  # the version that Samba says
        + name_
        + facts
    )


def _texts(message: bytes) -> Iterator[bytes]:
    for at in _TEXTS:
        if len(message) >= at + 8:
            size, _, start = struct.unpack_from("<HHI", message, at)
            text = message[start : start + size]
            yield text.decode("utf-16-le", "replace").encode("utf-8", "replace")


def _wrapped(state: int, token: bytes = b"") -> bytes:
    parts = [element(0xA0, element(_ENUMERATED, bytes((state,))))]
    if state == _INCOMPLETE:
        parts.append(element(0xA1, element(_OID, _NTLM)))
    if token:
        parts.append(element(0xA2, element(_OCTETS, token)))
    return element(0xA1, element(_SEQUENCE, *parts))
