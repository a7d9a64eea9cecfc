"""A node of Solana: its JSON-RPC, known by its methods on any host.

Loaders read memos of an account's transactions: an object whose ``link`` is the address in base64 (GlassWorm). Forms:
Solana's RPC documentation (getSignaturesForAddress, getTransaction, getAccountInfo), and the memo program's.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.services.jsonrpc import UNKNOWN, Call, calls_of, reply
from package_hunter.decoy.web import Answer, Ask

MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
_SYSTEM = "11111111111111111111111111111111"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
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
SOURCE = "the block chain Solana"


def base58(data: bytes) -> str:
    """Bitcoin's and Solana's base 58; each leading zero byte is a ``1``."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _ALPHABET[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


class Solana:
    """A node that knows one transaction with a memo of every account."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._time = int(time.time())
        self._slot = 300_000_000 + (self._time - 1_732_000_000) * 5 // 2

    def matches(self, ask: Ask) -> bool:
        calls, _ = calls_of(ask)
        return bool(calls) and calls[0].method in (*_LEADING, *_ORDINARY)

    def answer(self, ask: Ask) -> Answer | None:
        calls, batch = calls_of(ask)
        return reply(calls, batch, lambda call: self._result(call, ask.url))

    def _result(self, call: Call, url: str) -> Any:
        if call.method == "getTransaction":
            return self._transaction(self._memo(call, url))
        if call.method == "getAccountInfo":
            data = base64.b64encode(self._memo(call, url).encode()).decode()
            return self._valued(self._account([data, "base64"]))
        if call.method in _LEADING:
            memo = self._memo(call, url)
            shared = {"blockTime": self._time - 7200, "confirmationStatus": "finalized", "err": None}
            return [
                {
                    **shared,
                    "memo": f"[{len(memo)}] {memo}",
                    "signature": self._bytes(64),
                    "slot": self._slot - 20,
                }
            ]
        return self._ordinary(call)

    def _memo(self, call: Call, url: str) -> str:
        lead = self._world.leads.give(f"solana {call.question}", SOURCE, url)
        return json.dumps({"link": base64.b64encode(lead.address.encode()).decode()})

    def _transaction(self, memo: str) -> dict[str, Any]:
        instruction = {
            "programIdIndex": 1,
            "accounts": [0],
            "data": base58(memo.encode()),
            "stackHeight": None,
        }
        message = {
            "accountKeys": [self._bytes(32), MEMO_PROGRAM], "instructions": [instruction],
            "recentBlockhash": self._bytes(32),
            "header": {"numRequiredSignatures": 1, "numReadonlySignedAccounts": 0, "numReadonlyUnsignedAccounts": 1},
        }  # fmt: skip
        logs = [
            f"Program {MEMO_PROGRAM} invoke [1]",
            f"Program log: Memo (len {len(memo)}): {json.dumps(memo)}",
            f"Program {MEMO_PROGRAM} success",
        ]
        meta = {
            "err": None,
            "fee": 5000,
            "logMessages": logs,
            "preBalances": [90_000, 1],
            "postBalances": [85_000, 1],
        }
        whole = {"message": message, "signatures": [self._bytes(64)]}
        return {"slot": self._slot - 20, "blockTime": self._time - 7200, "meta": meta, "transaction": whole}

    def _account(self, data: list[str]) -> dict[str, Any]:
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

    def _bytes(self, count: int) -> str:
        digits = "".join(self._world.steady.hex(f"solana {count} {part}", 32) for part in range(2))
        return base58(bytes.fromhex(digits)[:count])
