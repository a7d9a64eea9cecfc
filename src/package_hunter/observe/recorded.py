"""What a recording of ours says of its box: written by the scan's watcher, read by a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RecordedBox:
    """A box, as far as a replay must know it: its first process (our code, which is not judged), how our own
    spawn's command line begins, where its canaries lay."""

    init_pid: int | None = None
    driver: str = ""
    canaries: Mapping[str, str] = field(default_factory=dict)
    fetches_alone: bool = False
    inodes: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As a recording's facts, which ``of`` reads."""
        return {
            "init_pid": self.init_pid,
            "driver": self.driver,
            "fetches_alone": self.fetches_alone,
            "canaries": dict(self.canaries),
            "inodes": [[*key, canary] for key, canary in self.inodes.items()],
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> RecordedBox:
        """From the recording's facts; whatever is not as we write it counts as missing."""
        pid, driver, canaries = facts.get("init_pid"), facts.get("driver"), facts.get("canaries")
        if not isinstance(pid, int) or not isinstance(driver, str) or not isinstance(canaries, dict):
            return cls()
        canaries = {k: v for k, v in canaries.items() if isinstance(v, str)}
        inodes: dict[tuple[int, int], str] = {}
        entries = facts.get("inodes")
        for entry in entries if isinstance(entries, list) else ():
            match entry:
                case [int(device), int(number), str(canary)]:
                    inodes[device, number] = canary
        return cls(pid, driver, canaries, facts.get("fetches_alone") is True, inodes)
