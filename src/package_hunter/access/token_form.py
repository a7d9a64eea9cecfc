"""How a machine's token looks: so that scanners for secrets know it, and a mistyped one is known without a look-up.

``phunt_``, 43 characters of base 62 (256 random bits), 6 of their CRC-32: ``\\bphunt_[0-9A-Za-z]{49}\\b``. The form is
that of GitHub's tokens ("Behind GitHub's new authentication token formats", 2021).
"""

from __future__ import annotations

import re
import secrets
import zlib

PREFIX = "phunt_"
PATTERN = r"phunt_[0-9A-Za-z]{49}"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 43, 6  # digits
_WHOLE = re.compile(PATTERN)


def new_token() -> str:
    """A token that nobody has."""
    body = _base62(secrets.randbits(256), _RANDOM)
    return PREFIX + body + _check(body)


def is_token(text: str) -> bool:
    """Whether it can be a token: its form and checksum are right."""
    if _WHOLE.fullmatch(text) is None:
        return False
    body = text[len(PREFIX) : -_CHECK]
    return text.endswith(_check(body))


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, digits: int) -> str:
    found = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        found = _DIGITS[digit] + found
    return found
