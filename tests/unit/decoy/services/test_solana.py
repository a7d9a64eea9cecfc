"""Solana's node: memos lead on."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.services.solana import base58
from tests.support.decoy_world import PlayedWorld

URL = "https://api.mainnet-beta.solana.com/"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def rpc(world: PlayedWorld, method: str, params: list[Any]) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return json.loads(world.text("POST", URL, body))["result"]


def unbase58(text: str) -> bytes:
    number = 0
    for letter in text:
        number = number * 58 + _ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def link(memo: str) -> str:
    return base64.b64decode(json.loads(memo)["link"]).decode()


@given(st.binary(max_size=80))
def test_base58_is_read_back(data: bytes) -> None:
    assert unbase58(base58(data)) == data


def test_memos_of_an_account_lead_on_and_following_is_marked() -> None:
    world = PlayedWorld()
    account = "28PKnu7RzizxBzFPoLp69HLXp9bJL3JFtT2s5QzHsEA2"
    (seen,) = rpc(world, "getSignaturesForAddress", [account, {"limit": 1}])
    length, memo = re.fullmatch(r"\[(\d+)\] (.*)", seen["memo"]).groups()  # type: ignore[union-attr]
    assert int(length) == len(memo) and len(unbase58(seen["signature"])) == 64
    assert rpc(world, "getSignaturesForAddress", [account, {"limit": 1}])[0] == seen
    world.ask("GET", link(memo))
    assert world.kinds() == ["dead_drop"]


def test_a_transactions_memo_and_an_accounts_data_are_read_as_clients_do() -> None:
    world = PlayedWorld()
    whole = rpc(world, "getTransaction", ["5" * 80, {"encoding": "json"}])
    (instruction,) = whole["transaction"]["message"]["instructions"]
    keys = whole["transaction"]["message"]["accountKeys"]
    assert keys[instruction["programIdIndex"]].startswith("Memo")
    assert link(unbase58(instruction["data"]).decode()).startswith("https://")
    data, encoding = rpc(world, "getAccountInfo", ["x" * 44])["value"]["data"]
    assert encoding == "base64" and link(base64.b64decode(data).decode()).startswith("https://")


def test_what_wallets_ask_leads_nowhere() -> None:
    world = PlayedWorld()
    assert rpc(world, "getHealth", []) == "ok" and rpc(world, "getBalance", ["x"])["value"] == 0
