"""Plausible answers to datagrams: the time, a device's name, one's own address, an echo."""

from __future__ import annotations

import ipaddress
import struct
import time

_SINCE_1900 = 2_208_988_800
_STUN = 0x2112A442


def answer(data: bytes, source: tuple[str, int], port: int) -> bytes | None:
    """What a server on ``port`` says to a client at ``source``; None where it says nothing."""
    if port == 123:
        return _time(data)
    if port == 161:
        return _device(data)
    if port == 7:
        return data
    return _address(data, source)


def _time(data: bytes) -> bytes | None:
    """SNTP (RFC 4330): mode 4 for mode 3."""
    if len(data) < 48 or data[0] & 7 != 3:
        return None
    seconds = time.time() + _SINCE_1900
    stamp = struct.pack("!II", int(seconds) & 0xFFFFFFFF, int(seconds % 1 * (1 << 32)))
    head = bytes((data[0] & 0x38 | 4, 2, 6, 0xEC))
    return head + b"\0\0\0\x10\0\0\0\x20GPS\0" + stamp + data[40:48] + stamp * 2


def _device(data: bytes) -> bytes | None:
    """SNMP v1 and v2c (RFC 3416): the question's own form, as a response."""
    try:
        at = _header(data, 0, 0x30)
        for kind in (0x02, 0x04):  # version, community
            start = _header(data, at, kind)
            at = start + _size(data, at)
        if data[at] not in (0xA0, 0xA1):
            return None
    except IndexError:
        return None
    return data[:at] + b"\xa2" + data[at + 1 :]


def _header(data: bytes, at: int, kind: int) -> int:
    """Where the contents of the value at ``at`` begin; IndexError where it is none of that kind."""
    if data[at] != kind:
        raise IndexError
    return at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)


def _size(data: bytes, at: int) -> int:
    first = data[at + 1]
    return first if first < 0x80 else int.from_bytes(data[at + 2 : at + 2 + (first & 0x7F)], "big")


def _address(data: bytes, source: tuple[str, int]) -> bytes | None:
    """STUN (RFC 8489): the client's own address, XORed as the protocol wants it."""
    if len(data) < 20 or data[:2] != b"\0\x01" or int.from_bytes(data[4:8], "big") != _STUN:
        return None
    address = ipaddress.ip_address(source[0])
    mask = int.from_bytes(data[4:8] if address.version == 4 else data[4:20], "big")
    body = struct.pack("!BBH", 0, 1 if address.version == 4 else 2, source[1] ^ _STUN >> 16)
    body += (int(address) ^ mask).to_bytes(len(address.packed), "big")
    value = struct.pack("!HH", 0x0020, len(body)) + body
    return b"\x01\x01" + len(value).to_bytes(2, "big") + data[4:20] + value
