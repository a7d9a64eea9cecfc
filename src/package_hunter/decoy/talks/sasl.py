"""Logins in several steps (RFC 4422), as mail servers offer them: each is taken, whatever it says."""

from __future__ import annotations

import base64
import binascii

_ASKS = {b"PLAIN": (b"",), b"LOGIN": (b"Username:", b"Password:"), b"XOAUTH2": (b"",), b"OAUTHBEARER": (b"",)}
MECHANISMS = tuple(name.decode() for name in _ASKS)


class Login:
    """One login by a mechanism. ``heard`` is what was said, out of its base64."""

    def __init__(self, asks: tuple[bytes, ...]) -> None:
        self._asks = list(asks)
        self.heard = b""

    @classmethod
    def by(cls, mechanism: bytes) -> Login | None:
        """None for a mechanism that is not offered."""
        asks = _ASKS.get(mechanism.upper())
        return cls(asks) if asks else None

    @property
    def done(self) -> bool:
        """Nothing more is asked for."""
        return not self._asks

    def challenge(self) -> bytes:
        """What is asked next, in base64."""
        return base64.b64encode(self._asks[0]) if self._asks else b""

    def answer(self, text: bytes) -> bool:
        """The client's answer, in base64 (``=`` is an empty one); False where it cancels or speaks none."""
        try:
            self.heard = b"" if text == b"=" else base64.b64decode(text, validate=True)
        except binascii.Error:
            return False
        del self._asks[:1]
        return True
