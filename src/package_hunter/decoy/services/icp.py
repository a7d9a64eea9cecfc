"""The Internet Computer: a canister's raw address over plain HTTP, and a boundary node's API as far as a query goes.

A canister's answer is a lead (CanisterWorm polls one for the address of what it is to run). ``read_state`` and calls
get a certificate that no client's check of signatures accepts. Forms: the IC interface specification (CBOR, RFC 8949,
under the self-describing tag) and Candid's.
"""

from __future__ import annotations

import re
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask

_HOSTS = (".icp0.io", ".ic0.app", ".icp-api.io", ".internetcomputer.org", ".icp.net")
_BARE = tuple(host[1:] for host in _HOSTS)
_API = re.compile(r"/api/v[234]/(?:canister|subnet)/([a-z0-9-]{5,80})/(query|read_state|call)")
_CANISTER = re.compile(r"(?:[a-z0-9]{5}-){4}cai")
_CBOR = "application/cbor"
SOURCE = "the block chain ICP"


def cbor(value: Any) -> bytes:
    """Texts, bytes, small numbers, lists and mappings (RFC 8949, section 3)."""
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    pairs = b"".join(cbor(key) + cbor(item) for key, item in value.items())
    return _head(5, len(value)) + pairs


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size)
    return bytes([major << 5 | 27]) + number.to_bytes(8)


def candid_text(text: str) -> bytes:
    """One text as Candid writes it: no types, one argument of type text, its length in LEB128."""
    data, length = text.encode(), bytearray()
    number = len(data)
    while number >= 128:
        length.append(number & 127 | 128)
        number >>= 7
    length.append(number)
    return b"DIDL\x00\x01\x71" + bytes(length) + data


class InternetComputer:
    """A boundary node, and the canisters behind it."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        if ask.host.endswith(_HOSTS) or ask.host in _BARE:
            return True
        return ask.headers.get("content-type") == _CBOR and _API.fullmatch(ask.raw_path) is not None

    def answer(self, ask: Ask) -> Answer | None:
        if ask.raw_path == "/api/v2/status":
            return _cbor_answer(
                {"replica_health_status": "healthy", "root_key": self._bytes("root key", 133)}
            )
        asked = _API.fullmatch(ask.raw_path)
        if asked is not None:
            return self._api(ask, asked[1], asked[2])
        canister = ask.host.partition(".")[0]
        if not _CANISTER.fullmatch(canister):
            return None
        return Answer(200, self._lead(ask, canister).encode(), type="text/plain; charset=utf-8")

    def _api(self, ask: Ask, canister: str, what: str) -> Answer:
        if what == "call":
            return Answer(202, b"", type=_CBOR)
        if what == "read_state":
            tree = [1, [4, self._bytes("left", 32)], [4, self._bytes("right", 32)]]
            signed = cbor({"tree": tree, "signature": self._bytes("signature", 48)})
            return _cbor_answer({"certificate": b"\xd9\xd9\xf7" + signed})
        return _cbor_answer({"status": "replied", "reply": {"arg": candid_text(self._lead(ask, canister))}})

    def _lead(self, ask: Ask, canister: str) -> str:
        return self._world.leads.give(f"icp {canister} {ask.raw_path}", SOURCE, ask.url).address

    def _bytes(self, what: str, count: int) -> bytes:
        digits = "".join(self._world.steady.hex(f"icp {what} {part}", 32) for part in range(5))
        return bytes.fromhex(digits)[:count]


def _cbor_answer(value: Any) -> Answer:
    return Answer(200, b"\xd9\xd9\xf7" + cbor(value), type=_CBOR)
