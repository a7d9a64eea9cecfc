"""What the probe counted of a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Stats:
    """What a scan's probe counted. ``by_type``, ``lost_by_type`` and ``filtered`` go by event name.

    ``orphans``: children that could not be made members (no memory), whose events are missing: as bad as
    lost events. ``alive``: threads of the scan that have not ended. ``held_ns``: how long its threads were made
    to wait in the probe, all together. Times in ns since the epoch, 0: never.
    """

    events: int = 0
    bytes: int = 0
    lost: int = 0
    first_lost_ns: int = 0
    last_lost_ns: int = 0
    last_lost_tid: int = 0
    orphans: int = 0
    alive: int = 0
    held_ns: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    lost_by_type: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)

    def loss(self) -> str:
        """What was lost, when and by whom, as a sentence; empty where nothing was."""
        if not self.lost:
            return ""
        kinds = ", ".join(f"{n} {k}" for k, n in sorted(self.lost_by_type.items(), key=lambda i: -i[1])[:3])
        first, last = (
            datetime.fromtimestamp(ns / 1e9, UTC).strftime("%H:%M:%S.%f")
            for ns in (self.first_lost_ns, self.last_lost_ns)
        )
        return (
            f"{self.lost} events were lost ({kinds}) between {first} and {last} UTC; "
            f"the last was of thread {self.last_lost_tid}."
        )
