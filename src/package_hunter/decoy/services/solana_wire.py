"""A transaction of Solana with one memo, in the forms in which a node gives it: JSON, parsed JSON, or its bytes.

Forms: Solana's RPC documentation (transaction detail, encodings), "Transaction format" (compact arrays), the memo
program's two addresses.
"""

from __future__ import annotations

import base64
import json
from typing import Any

MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
OLD_MEMO = (
    "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"  # the first version, which some readers look for alone
)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_HEADER = {"numRequiredSignatures": 1, "numReadonlySignedAccounts": 0, "numReadonlyUnsignedAccounts": 2}


def base58(data: bytes) -> str:
    """Bitcoin's and Solana's base 58; each leading zero byte is a ``1``."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _ALPHABET[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def unbase58(text: str) -> bytes:
    """The bytes again. ValueError where a letter is none of it."""
    number = 0
    for letter in text:
        number = number * 58 + _ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def transaction(
    memo: str, encoding: str, payer: bytes, signature: bytes, blockhash: bytes
) -> dict[str, Any] | list[str]:
    """The whole in an encoding: ``json``, ``jsonParsed``, ``base58`` or ``base64``."""
    if encoding in ("base58", "base64"):
        data = _wire(memo.encode(), payer, signature, blockhash)
        return [base58(data) if encoding == "base58" else base64.b64encode(data).decode(), encoding]
    keys = (base58(payer), MEMO, OLD_MEMO)
    parsed = encoding == "jsonParsed"
    message: dict[str, Any] = {"recentBlockhash": base58(blockhash)}
    if parsed:
        message["accountKeys"] = [
            {"pubkey": key, "signer": key == keys[0], "source": "transaction", "writable": key == keys[0]}
            for key in keys
        ]
        message["instructions"] = [
            {"program": "spl-memo", "programId": program, "parsed": memo, "stackHeight": None}
            for program in keys[1:]
        ]
    else:
        said = base58(memo.encode())
        message |= {"accountKeys": list(keys), "header": _HEADER}
        message["instructions"] = [
            {"programIdIndex": at, "accounts": [0], "data": said, "stackHeight": None} for at in (1, 2)
        ]
    return {"message": message, "signatures": [base58(signature)]}


def logs(memo: str) -> list[str]:
    """What the programs wrote: the first version writes nothing of the memo."""
    return [
        f"Program {MEMO} invoke [1]",
        f"Program log: Memo (len {len(memo)}): {json.dumps(memo)}",
        f"Program {MEMO} consumed 5000 of 400000 compute units",
        f"Program {MEMO} success",
        f"Program {OLD_MEMO} invoke [1]",
        f"Program {OLD_MEMO} success",
    ]


def _wire(memo: bytes, payer: bytes, signature: bytes, blockhash: bytes) -> bytes:
    instructions = b"".join(bytes((at, 1, 0)) + _compact(len(memo)) + memo for at in (1, 2))
    keys = payer + unbase58(MEMO) + unbase58(OLD_MEMO)
    return b"\1" + signature + bytes((1, 0, 2, 3)) + keys + blockhash + b"\2" + instructions


def _compact(size: int) -> bytes:
    """A length, seven bits a byte, the lowest first."""
    found = bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*found, size))
