"""A clock that tests set: all that asks Python's ``time`` for the day sees it."""

from __future__ import annotations

import time

import pytest


class Clock:
    """``ms`` since the epoch; begins at the true time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms = time.time_ns() // 1_000_000
        monkeypatch.setattr(time, "time_ns", lambda: self.ms * 1_000_000)
        monkeypatch.setattr(time, "time", lambda: self.ms / 1_000)

    def forward(self, seconds: float) -> None:
        """Later."""
        self.ms += round(seconds * 1_000)
