"""What a scan's services say of themselves: random by scan, and the same each time that the same is asked."""

from __future__ import annotations

import hashlib
import hmac
import secrets


class Steady:
    """Numbers and digits that follow from what they are for and from a key that no other scan has."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def number(self, what: str, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included."""
        digest = hmac.digest(self._key, what.encode("utf-8", "replace"), hashlib.sha256)
        return low + int.from_bytes(digest[:16]) % (high - low + 1)

    def hex(self, what: str, count: int) -> str:
        """So many bytes in hexadecimal digits; ``count`` at most 32."""
        return hmac.digest(self._key, what.encode("utf-8", "replace"), hashlib.sha256)[:count].hex()
