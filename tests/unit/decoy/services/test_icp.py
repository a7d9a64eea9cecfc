"""A canister's answer, raw and as a replica's CBOR."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.decoy.services.icp import cbor
from tests.support.decoy_world import PlayedWorld

CANISTER = "tdtqy-oyaaa-aaaae-af2dq-cai"


def read(data: bytes) -> tuple[Any, bytes]:
    """One item of CBOR and the rest."""
    major, small = data[0] >> 5, data[0] & 31
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(small, 0)
    number = int.from_bytes(data[1 : 1 + size]) if size else small
    rest = data[1 + size :]
    if major == 0:
        return number, rest
    if major == 6:
        return read(rest)
    if major in (2, 3):
        item = rest[:number]
        return (item if major == 2 else item.decode()), rest[number:]
    items = []
    for _ in range(number * (2 if major == 5 else 1)):
        item, rest = read(rest)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), rest


@pytest.mark.parametrize("value", [0, 23, 24, 70_000, 2**40, b"x" * 300, {"a": [1, {"b": "ü"}]}])
def test_cbor_is_read_back(value: Any) -> None:
    assert read(cbor(value)) == (value, b"")


def test_a_raw_address_and_a_query_lead_on() -> None:
    world = PlayedWorld()
    address = world.text("GET", f"https://{CANISTER}.raw.icp0.io/")
    world.ask("GET", address)
    assert world.kinds() == ["dead_drop"]
    url = f"https://icp-api.io/api/v2/canister/{CANISTER}/query"
    body = world.ask("POST", url, b"\xd9\xd9\xf7\xa0", content_type="application/cbor").body
    assert isinstance(body, bytes)
    said, rest = read(body)
    assert said["status"] == "replied" and rest == b""
    argument = said["reply"]["arg"]
    assert argument[:7] == b"DIDL\x00\x01\x71" and argument[8:].startswith(b"https://")
    assert argument[7] == len(argument) - 8


def test_status_and_state_are_there_and_other_sites_are_none_of_its() -> None:
    world = PlayedWorld()
    status = world.ask("GET", "https://icp-api.io/api/v2/status").body
    assert isinstance(status, bytes) and read(status)[0]["replica_health_status"] == "healthy"
    state = world.ask("POST", f"https://ic0.app/api/v2/canister/{CANISTER}/read_state").body
    assert isinstance(state, bytes) and read(state)[0]["certificate"]
    assert "It works" in world.text("GET", "https://icp0.io/")
