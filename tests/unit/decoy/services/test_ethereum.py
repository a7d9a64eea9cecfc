"""Ethereum's node: loaders are told where to go, wallets what they need, and nothing breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.services.ethereum import abi_string
from tests.support.decoy_world import PlayedWorld

URL = "https://rpc.node-provider.example/v3/key"


def rpc(world: PlayedWorld, method: str, params: list[Any], url: str = URL) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    said = json.loads(world.text("POST", url, body, content_type="application/json"))
    assert said["id"] == 7 and said["jsonrpc"] == "2.0"
    return said["result"]


def abi_decoded(data: str) -> str:
    """As a client reads a function's one string (Solidity's ABI)."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    offset = int.from_bytes(raw[:32])
    length = int.from_bytes(raw[offset : offset + 32])
    assert len(raw) % 32 == 0
    return raw[offset + 32 : offset + 32 + length].decode()


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_string_is_read_back(text: str) -> None:
    assert abi_decoded(abi_string(text)) == text


CONTRACT = {"to": "0x" + "1b" * 20, "data": "0x6d4ce63c"}


def test_a_contract_gives_an_address_the_same_each_time_and_who_goes_there_is_marked() -> None:
    world = PlayedWorld()
    address = abi_decoded(rpc(world, "eth_call", [CONTRACT, "latest"]))
    assert address == abi_decoded(rpc(world, "eth_call", [CONTRACT, "latest"], "http://198.51.100.7/"))
    assert address.startswith("https://") and world.kinds() == []
    assert b"require" in world.ask("GET", address).body  # type: ignore[operator]
    (mark,) = world.marks
    assert mark.kind == "dead_drop" and mark.evidence["url"] == URL
    assert "the block chain Ethereum" in mark.detail
    other = abi_decoded(rpc(world, "eth_call", [{**CONTRACT, "to": "0x" + "2c" * 20}, "latest"]))
    assert other != address


@pytest.mark.parametrize("form", ["transaction", "logs", "receipt", "explorer"])
def test_other_ways_to_be_told(form: str) -> None:
    world = PlayedWorld()
    digest = "0x" + "ab" * 32
    if form == "transaction":
        address = bytes.fromhex(rpc(world, "eth_getTransactionByHash", [digest])["input"][2:]).decode()
    elif form == "logs":
        address = abi_decoded(rpc(world, "eth_getLogs", [{"address": CONTRACT["to"]}])[0]["data"])
    elif form == "receipt":
        address = abi_decoded(rpc(world, "eth_getTransactionReceipt", [digest])["logs"][0]["data"])
    else:
        url = f"https://api.scan.example/api?module=proxy&action=eth_call&to={CONTRACT['to']}&data=0x6d4ce63c"
        address = abi_decoded(json.loads(world.text("GET", url))["result"])
    world.ask("GET", address)
    assert world.kinds() == ["dead_drop"]


def test_what_wallets_ask_leads_nowhere() -> None:
    world = PlayedWorld()
    number = int(rpc(world, "eth_blockNumber", []), 16)
    assert number > 20_000_000 and rpc(world, "eth_chainId", []) == "0x1"
    balance = {"to": CONTRACT["to"], "data": "0x70a08231" + "00" * 32}
    assert int(rpc(world, "eth_call", [balance, "latest"]), 16) == 0
    assert abi_decoded(rpc(world, "eth_call", [{"to": "0x1", "data": "0x95d89b41"}])) == "USDC"
    assert rpc(world, "eth_getBlockByNumber", ["latest", False])["number"] == hex(number)


def test_a_batch_is_answered_call_by_call() -> None:
    calls = [
        {"jsonrpc": "2.0", "id": n, "method": m, "params": []}
        for n, m in enumerate(["eth_chainId", "eth_mine"])
    ]
    first, second = json.loads(PlayedWorld().text("POST", URL, json.dumps(calls).encode()))
    assert first["result"] == "0x1" and second["error"]["code"] == -32601 and second["id"] == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_METHODS = st.sampled_from(
    [
        "eth_call",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_x",
        "net_version",
        "getAccountInfo",
        "getTransaction",
    ]
)


@given(_METHODS, JSON, JSON, st.booleans())
def test_no_call_breaks_it(method: str, params: Any, number: Any, batch: bool) -> None:
    call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    answer = PlayedWorld().ask("POST", URL, json.dumps([call, params] if batch else call).encode())
    assert answer.status == 200


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    assert PlayedWorld().ask("POST", URL, b'{"jsonrpc":' + body).status == 200
