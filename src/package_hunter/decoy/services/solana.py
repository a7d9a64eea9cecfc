"""A node of Solana: its JSON-RPC, known by its methods on any host.

Loaders read memos of an account's transactions: an object whose ``link`` is the address in base64 (GlassWorm), the
address in base64, or as it is; so an account has one of each, the newest first. Forms: Solana's RPC documentation
(getSignaturesForAddress, getTransaction, getAccountInfo).
"""

from __future__ import annotations

import base64
import json
import time
from collections import OrderedDict
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.services.jsonrpc import UNKNOWN, Call, calls_of, reply
from package_hunter.decoy.services.solana_wire import base58, logs, transaction, unbase58
from package_hunter.decoy.web import Answer, Ask

_SYSTEM = "11111111111111111111111111111111"
_LEADING = (
    "getSignaturesForAddress",
    "getConfirmedSignaturesForAddress2",
    "getTransaction",
    "getAccountInfo",
)
_ORDINARY = (
    "getBalance", "getSlot", "getBlockHeight", "getLatestBlockhash", "getHealth", "getVersion", "getEpochInfo",
    "getGenesisHash", "getTokenAccountsByOwner", "getProgramAccounts", "sendTransaction", "getMultipleAccounts",
    "getMinimumBalanceForRentExemption", "getRecentBlockhash", "getSignatureStatuses",
)  # fmt: skip
_KEPT = 1_000  # signatures that were handed out
SOURCE = "the block chain Solana"


class Solana:
    """A node that knows three transactions with a memo of every account."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._time = int(time.time())
        self._kept: OrderedDict[str, str] = OrderedDict()  # signature -> memo
        self._slot = 300_000_000 + (self._time - 1_732_000_000) * 5 // 2

    def matches(self, ask: Ask) -> bool:
        calls, _ = calls_of(ask)
        return bool(calls) and calls[0].method in (*_LEADING, *_ORDINARY)

    def answer(self, ask: Ask) -> Answer | None:
        calls, batch = calls_of(ask)
        return reply(calls, batch, lambda call: self._result(call, ask.url))

    def _result(self, call: Call, url: str) -> Any:
        if call.method == "getTransaction":
            return self._transaction(call, url)
        if call.method == "getAccountInfo":
            return self._valued(self._account(_held(self._memos(call.question, url)[0], _encoding(call))))
        return self._signatures(call, url) if call.method in _LEADING else self._ordinary(call)

    def _memos(self, question: str, url: str) -> tuple[str, str, str]:
        address = self._world.leads.give(f"solana {question}", SOURCE, url).address
        packed = base64.b64encode(address.encode()).decode()
        return json.dumps({"link": packed}), packed, address

    def _signatures(self, call: Call, url: str) -> list[dict[str, Any]]:
        limit = _options(call).get("limit")
        most = limit if isinstance(limit, int) and limit > 0 else 1000
        found = []
        for number, memo in enumerate(self._memos(call.question, url)[:most]):
            signature = base58(self._random(f"{call.question} {number}", 64))
            self._kept[signature] = memo
            found.append(
                {
                    "blockTime": self._time - 7200 * (number + 1),
                    "confirmationStatus": "finalized",
                    "err": None,
                    "memo": f"[{len(memo)}] {memo}",
                    "signature": signature,
                    "slot": self._slot - 20 * (number + 1),
                }
            )
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _transaction(self, call: Call, url: str) -> dict[str, Any]:
        signature = call.params[0] if call.params and isinstance(call.params[0], str) else ""
        memo = self._kept.get(signature) or self._memos(call.question, url)[0]
        meta = {
            "err": None,
            "fee": 5000,
            "innerInstructions": [],
            "logMessages": logs(memo),
            "preBalances": [90_000, 1, 1],
            "postBalances": [85_000, 1, 1],
            "status": {"Ok": None},
        }
        try:
            signed = unbase58(signature[:100])
        except ValueError:
            signed = b""
        facts = self._random("payer", 32), (signed + bytes(64))[:64], self._random("blockhash", 32)
        return {
            "slot": self._slot - 20,
            "blockTime": self._time - 7200,
            "meta": meta,
            "transaction": transaction(memo, _encoding(call) or "json", *facts),
            "version": "legacy",
        }

    def _account(self, data: Any) -> dict[str, Any]:
        return {
            "data": data,
            "executable": False,
            "lamports": 2_039_280,
            "owner": _SYSTEM,
            "rentEpoch": 2**64 - 1,
        }

    def _valued(self, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": "2.1.16", "slot": self._slot}, "value": value}

    def _ordinary(self, call: Call) -> Any:
        block = {"blockhash": self._bytes(32), "lastValidBlockHeight": self._slot - 21_000_000}
        known = {
            "getBalance": self._valued(0), "getSlot": self._slot, "getBlockHeight": self._slot - 21_000_150,
            "getLatestBlockhash": self._valued(block), "getRecentBlockhash": self._valued(block), "getHealth": "ok",
            "getVersion": {"solana-core": "2.1.16", "feature-set": 3_271_415_109},
            "getEpochInfo": {"epoch": self._slot // 432_000, "slotIndex": 17, "slotsInEpoch": 432_000},
            "getGenesisHash": "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "sendTransaction": self._bytes(64),
            "getTokenAccountsByOwner": self._valued([]), "getProgramAccounts": [],
            "getMultipleAccounts": self._valued([]), "getMinimumBalanceForRentExemption": 890_880,
            "getSignatureStatuses": self._valued([]),
        }  # fmt: skip
        return known.get(call.method, UNKNOWN)

    def _random(self, what: str, count: int) -> bytes:
        return bytes.fromhex(
            "".join(self._world.steady.hex(f"solana {what} {part}", 32) for part in range(4))
        )[:count]

    def _bytes(self, count: int) -> str:
        return base58(self._random(str(count), count))


def _options(call: Call) -> dict[str, Any]:
    return next((one for one in call.params[1:] if isinstance(one, dict)), {})


def _encoding(call: Call) -> str:
    """As it was asked for, in an object or, of old clients, as a word; empty where it was not."""
    said = _options(call).get("encoding") or next(
        (one for one in call.params[1:2] if isinstance(one, str)), ""
    )
    return said if isinstance(said, str) else ""


def _held(memo: str, encoding: str) -> Any:
    """An account's data as a node gives it: what it cannot parse in base64."""
    if encoding in ("", "binary"):
        return base58(memo.encode())
    if encoding == "base58":
        return [base58(memo.encode()), "base58"]
    return [base64.b64encode(memo.encode()).decode(), "base64"]
