"""What a page says after something was done. An address names one of these: a link can put no words into our mouth."""

from __future__ import annotations

DONE: dict[str, str] = {
    "signed-out": "You are signed out.",
}
