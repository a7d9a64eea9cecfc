"""Solana's node: memos lead on."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.services.solana_wire import MEMO, OLD_MEMO, base58, unbase58
from tests.support.decoy_world import PlayedWorld

_WORLD = PlayedWorld()
URL = "https://api.mainnet-beta.solana.com/"


def rpc(world: PlayedWorld, method: str, params: list[Any]) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    return json.loads(world.text("POST", URL, body))["result"]


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
    instructions = whole["transaction"]["message"]["instructions"]
    keys = whole["transaction"]["message"]["accountKeys"]
    assert [keys[one["programIdIndex"]] for one in instructions] == [MEMO, OLD_MEMO]
    for one in instructions:
        assert link(unbase58(one["data"]).decode()).startswith("https://")
    data, encoding = rpc(world, "getAccountInfo", ["x" * 44, {"encoding": "base64"}])["value"]["data"]
    assert encoding == "base64" and link(base64.b64decode(data).decode()).startswith("https://")


def test_what_wallets_ask_leads_nowhere() -> None:
    world = PlayedWorld()
    assert rpc(world, "getHealth", []) == "ok" and rpc(world, "getBalance", ["x"])["value"] == 0


def test_an_account_has_a_memo_of_each_form_and_its_transactions_hold_the_same() -> None:
    world = PlayedWorld()
    seen = rpc(world, "getSignaturesForAddress", ["a" * 44])
    memos = [one["memo"].partition("] ")[2] for one in seen]
    address = link(memos[0])
    assert memos[1:] == [base64.b64encode(address.encode()).decode(), address]
    for one, memo in zip(seen, memos, strict=True):
        asked = [one["signature"], {"encoding": "jsonParsed", "maxSupportedTransactionVersion": 0}]
        whole = rpc(world, "getTransaction", asked)
        assert [said["parsed"] for said in whole["transaction"]["message"]["instructions"]] == [memo] * 2
        assert whole["transaction"]["signatures"] == [one["signature"]]
        assert f"Program log: Memo (len {len(memo)}): {json.dumps(memo)}" in whole["meta"]["logMessages"]


@pytest.mark.parametrize("encoding", ["base58", "base64"])
def test_a_transactions_bytes_hold_the_memo(encoding: str) -> None:
    world = PlayedWorld()
    for asked in ({"encoding": encoding}, encoding):
        text, said = rpc(world, "getTransaction", ["5" * 80, asked])["transaction"]
        data = base64.b64decode(text) if encoding == "base64" else unbase58(text)
        assert said == encoding and data[0] == 1 and data[65:69] == bytes((1, 0, 2, 3))
        assert data[69 + 32 : 69 + 96] == unbase58(MEMO) + unbase58(OLD_MEMO)
        at = 69 + 96 + 32
        assert data[at : at + 4] == bytes((2, 1, 1, 0)) and data[at + 4] == len(
            memo := data[at + 5 : at + 5 + data[at + 4]]
        )
        assert link(memo.decode()).startswith("https://")


@pytest.mark.parametrize(
    "asked", [[], [{"encoding": "base58"}], [{"encoding": "jsonParsed"}], [{"encoding": 5}], [7]]
)
def test_an_accounts_data_is_read_in_every_encoding(asked: list[Any]) -> None:
    data = rpc(PlayedWorld(), "getAccountInfo", ["x" * 44, *asked])["value"]["data"]
    text, encoding = data if isinstance(data, list) else (data, "base58")
    memo = base64.b64decode(text) if encoding == "base64" else unbase58(text)
    assert link(memo.decode()).startswith("https://")


@given(
    st.lists(
        st.one_of(
            st.text(max_size=9), st.integers(), st.dictionaries(st.text(max_size=9), st.text(max_size=9))
        )
    )
)
def test_any_parameters_are_answered(params: list[Any]) -> None:
    for method in ("getTransaction", "getSignaturesForAddress", "getAccountInfo"):
        assert rpc(_WORLD, method, params) is not None
