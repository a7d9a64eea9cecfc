"""How much a scan that waits is hurried."""

from __future__ import annotations

import enum


class Urgency(enum.StrEnum):
    """The same, as people write it."""

    NIGHTLY = "nightly"
    NORMAL = "normal"
    MERGE_REQUEST = "merge-request"


class Priority(enum.IntEnum):
    """Which scans are begun before others. The number is what stores keep; more comes first."""

    NIGHTLY = 0
    NORMAL = 10
    MERGE_REQUEST = 20

    @property
    def word(self) -> str:
        """As people write it: ``merge-request``."""
        return self.name.lower().replace("_", "-")
