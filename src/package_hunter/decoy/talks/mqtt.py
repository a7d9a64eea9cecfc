"""MQTT 3.1, 3.1.1 and 5: a broker that lets everybody in and takes every message.

Facts: OASIS mqtt-v3.1.1-os, mqtt-v5.0-os.
"""

from __future__ import annotations

import asyncio

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.bounded import take

_KEPT = 68 << 10  # of a packet: a topic of any length and what stands around it
_CONNECT, _PUBLISH, _PUBREL, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ, _DISCONNECT = 1, 3, 6, 8, 10, 12, 14
_ACKNOWLEDGED = (4, 5, 7)  # what a client says of messages that a broker sent
_TOPICS = 1_000


class BrokenPacketError(Exception):
    """What came is no packet of the protocol: a broker hangs up."""


async def packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """The next packet's type, its flags, and the first 68 KiB of the rest. BrokenPacketError where its length is
    none."""
    first = (await reader.readexactly(1))[0]
    size = 0
    for place in range(4):
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 127) << (7 * place)
        if digit < 128:
            return first >> 4, first & 15, await take(reader, size, _KEPT)
    raise BrokenPacketError


class Session:
    """One connection: ``reply`` is asked for each packet in turn; ``over`` once the client has said goodbye."""

    def __init__(self) -> None:
        self.over = False
        self._version = 0

    def reply(self, kind: int, flags: int, data: bytes) -> bytes:
        """What the broker says to a packet. BrokenPacketError where it may only hang up."""
        if (kind == _CONNECT) == bool(self._version):
            raise BrokenPacketError
        if kind == _CONNECT:
            return self._connect(data)
        if kind == _PUBLISH:
            return self._publish(flags >> 1 & 3, data)
        if kind == _PUBREL:
            return bytes((0x70, 2)) + _two(data, 0)
        if kind in (_SUBSCRIBE, _UNSUBSCRIBE):
            return self._subscribe(kind, data)
        if kind == _PINGREQ:
            return b"\xd0\x00"
        if kind == _DISCONNECT:
            self.over = True
        elif kind not in _ACKNOWLEDGED:
            raise BrokenPacketError
        return b""

    def _connect(self, data: bytes) -> bytes:
        name = data[2 : 2 + int.from_bytes(data[:2], "big")]
        if name not in (b"MQTT", b"MQIsdp"):
            raise BrokenPacketError
        self._version = _two(data, 1 + len(name))[1]
        if self._version not in (3, 4, 5):
            self.over = True
            return b"\x20\x02\x00\x01"  # unacceptable protocol version
        if self._version < 5:
            return b"\x20\x02\x00\x00"
        return _framed(0x20, b"\x00\x00" + _own_name(data, len(name)))

    def _publish(self, quality: int, data: bytes) -> bytes:
        if quality == 3:
            raise BrokenPacketError
        if not quality:
            return b""
        number = _two(data, 2 + int.from_bytes(data[:2], "big"))
        return bytes((0x40 if quality == 1 else 0x50, 2)) + number

    def _subscribe(self, kind: int, data: bytes) -> bytes:
        number, at = _two(data, 0), 2
        properties = b""
        if self._version == 5:
            size, at = _length(data, at)
            at, properties = at + size, b"\0"
        codes = bytearray()
        while at < len(data) and len(codes) < _TOPICS:
            at += 2 + int.from_bytes(data[at : at + 2], "big")
            if kind == _SUBSCRIBE:
                codes += bytes((min(_one(data, at) & 3, 2),))  # the quality that was asked for
                at += 1
            elif self._version == 5:
                codes += b"\0"
            if at > len(data):
                raise BrokenPacketError
        return _framed(0x90 if kind == _SUBSCRIBE else 0xB0, number + properties + bytes(codes))


def _own_name(data: bytes, name: int) -> bytes:
    """A 5.0 CONNACK's properties: a client that gave itself no name is given one (3.2.2.3.7)."""
    at = 2 + name + 1 + 1 + 2
    size, at = _length(data, at)
    at += size
    if _two(data, at) != b"\0\0":
        return b"\0"
    given = b"auto-6E1B2F04-7C52-4A0D-9E38-51D0A7C96B23"
    return bytes((3 + len(given), 0x12)) + len(given).to_bytes(2, "big") + given


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and where it ends."""
    value = 0
    for place in range(4):
        digit = _one(data, at + place)
        value |= (digit & 127) << (7 * place)
        if digit < 128:
            return value, at + place + 1
    raise BrokenPacketError


def _one(data: bytes, at: int) -> int:
    if at >= len(data):
        raise BrokenPacketError
    return data[at]


def _two(data: bytes, at: int) -> bytes:
    if at + 2 > len(data):
        raise BrokenPacketError
    return data[at : at + 2]


def _framed(first: int, data: bytes) -> bytes:
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return bytes((first, *length)) + data


async def play(table: Table) -> None:
    """Packets and their answers, until the client says goodbye."""
    session = Session()
    while not session.over:
        try:
            answer = session.reply(*await packet(table.reader))
        except BrokenPacketError:
            return
        table.writer.write(answer)
        await table.writer.drain()
