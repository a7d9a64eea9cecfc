"""A node of Ethereum and of chains like it: its JSON-RPC, known by its form on any host, and explorers' proxies of it.

What a contract returns, a transaction carries or a log tells is a lead: loaders read the address of their collector
there (EtherHiding). What every wallet asks (block numbers, balances, a coin's name) gets an ordinary answer. Forms:
the Ethereum JSON-RPC specification and the contract ABI's (Solidity documentation, "Contract ABI Specification").
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.services.jsonrpc import UNKNOWN, Call, calls_of, reply
from package_hunter.decoy.web import Answer, Ask

_PREFIXES = ("eth_", "net_", "web3_")
# a block of the chain, when it was made, and the seconds from one to the next since then
_MERGE_BLOCK, _GENESIS, _BLOCK_SECONDS = 15_537_394, 1_663_224_179, 12
# Selectors (first four bytes of the signature's Keccak-256) of what coins are asked for.
_NUMBERS = {
    "70a08231": 0,  # balanceOf(address)
    "18160ddd": 27_000_000_000_000_000,  # totalSupply()
    "313ce567": 6,  # decimals()
    "dd62ed3e": 0,  # allowance(address,address)
    "01ffc9a7": 1,  # supportsInterface(bytes4)
}
_WORDS = {"06fdde03": "USD Coin", "95d89b41": "USDC"}  # name(), symbol()
SOURCE = "the block chain Ethereum"


def abi_string(text: str) -> str:
    """What a function that returns one string returns: offset, length, bytes, filled up to 32."""
    data = text.encode()
    padded = data + b"\0" * (-len(data) % 32)
    return "0x" + _word(32) + _word(len(data)) + padded.hex()


def _word(number: int) -> str:
    return f"{number:064x}"


class Ethereum:
    """A node that is at the chain's head."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._block = _MERGE_BLOCK + (int(time.time()) - _GENESIS) // _BLOCK_SECONDS

    def matches(self, ask: Ask) -> bool:
        calls, _ = calls_of(ask)
        return (bool(calls) and calls[0].method.startswith(_PREFIXES)) or _proxied(ask) is not None

    def answer(self, ask: Ask) -> Answer | None:
        call = _proxied(ask)
        calls, batch = ([call], False) if call is not None else calls_of(ask)
        return reply(calls, batch, lambda one: self._result(one, ask.url))

    def _result(self, call: Call, url: str) -> Any:
        if call.method in ("eth_call", "eth_getStorageAt"):
            return self._called(call, url)
        if call.method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            return self._transaction(call, url)
        if call.method == "eth_getLogs":
            return [self._log(call, url)]
        return self._ordinary(call)

    def _lead(self, call: Call, url: str) -> str:
        return self._world.leads.give(f"ethereum {call.question}", SOURCE, url).address

    def _called(self, call: Call, url: str) -> str:
        first = call.params[0] if call.params and isinstance(call.params[0], dict) else {}
        data = str(first.get("data") or first.get("input") or "").removeprefix("0x").lower()
        if data[:8] in _NUMBERS:
            return "0x" + _word(_NUMBERS[data[:8]])
        return abi_string(_WORDS[data[:8]] if data[:8] in _WORDS else self._lead(call, url))

    def _transaction(self, call: Call, url: str) -> dict[str, Any]:
        number = hex(self._block - 400)
        shared = {"blockHash": self._hash("block"), "blockNumber": number, "transactionIndex": "0x11"}
        sides = {"from": self._address("from"), "to": self._address("to")}
        if call.method.endswith("Receipt"):
            used = {"gasUsed": "0x5208", "cumulativeGasUsed": "0x2a8f10", "contractAddress": None}
            logs = {"logs": [self._log(call, url)], "status": "0x1", "type": "0x2"}
            return {"transactionHash": self._hash(call.question), **shared, **sides, **used, **logs}
        return {
            "hash": self._hash(call.question), **shared, **sides, "value": "0x0", "nonce": "0x2c", "gas": "0x5208",
            "gasPrice": "0x3b9aca00", "input": "0x" + self._lead(call, url).encode().hex(), "type": "0x2",
        }  # fmt: skip

    def _log(self, call: Call, url: str) -> dict[str, Any]:
        return {
            "address": self._address("to"), "topics": [self._hash("topic")], "data": abi_string(self._lead(call, url)),
            "blockNumber": hex(self._block - 400), "blockHash": self._hash("block"), "removed": False,
            "transactionHash": self._hash("transaction"), "transactionIndex": "0x11", "logIndex": "0x2",
        }  # fmt: skip

    def _ordinary(self, call: Call) -> Any:
        block = {
            "number": hex(self._block), "hash": self._hash("head"), "parentHash": self._hash("parent"),
            "timestamp": hex(_GENESIS + (self._block - _MERGE_BLOCK) * _BLOCK_SECONDS),
            "gasLimit": "0x2aea540", "gasUsed": "0x10f2a81",
            "baseFeePerGas": "0x1dcd6500", "miner": self._address("miner"), "transactions": [],
        }  # fmt: skip
        known = {
            "eth_blockNumber": hex(self._block), "eth_chainId": "0x1", "net_version": "1", "eth_gasPrice": "0x3b9aca00",
            "eth_getBalance": "0x0", "eth_getTransactionCount": "0x0", "eth_estimateGas": "0x5208",
            "eth_getCode": "0x6080604052", "eth_syncing": False, "eth_accounts": [], "net_listening": True,
            "eth_maxPriorityFeePerGas": "0x3b9aca00", "eth_getBlockByNumber": block, "eth_getBlockByHash": block,
            "web3_clientVersion": "Geth/v1.14.12-stable-293a300d/linux-amd64/go1.23.3",
            "eth_sendRawTransaction": self._hash(call.question), "eth_protocolVersion": "0x44",
        }  # fmt: skip
        return known.get(call.method, UNKNOWN)

    def _hash(self, what: str) -> str:
        return "0x" + self._world.steady.hex(f"ethereum hash {what}", 32)

    def _address(self, what: str) -> str:
        return "0x" + self._world.steady.hex(f"ethereum address {what}", 20)


def _proxied(ask: Ask) -> Call | None:
    """An explorer's way to ask: ``?module=proxy&action=eth_call&to=…`` (Etherscan's API and its like)."""
    if "action=eth_" not in ask.query:
        return None
    try:
        query = {name: values[0] for name, values in parse_qs(ask.query, max_num_fields=50).items()}
    except ValueError:
        return None
    if query.get("module") != "proxy" or not query.get("action", "").startswith("eth_"):
        return None
    asked = {name: query[name] for name in ("to", "data", "txhash") if name in query}
    return Call(query["action"], [json.loads(json.dumps(asked))], 1)
