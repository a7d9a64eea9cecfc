"""A process while it is written down."""

from __future__ import annotations

from typing import Any

from package_hunter.model.observation import Process


class ProcessRecord:
    """What the report will say of a process. ``facts`` are Process's fields from ``pid`` to ``uid``; times in ns
    since the epoch."""

    __slots__ = ("code", "ended", "execs", "facts", "key", "parent", "started")

    def __init__(self, key: int, parent: int | None, started: int) -> None:
        self.key = key
        self.parent = parent
        self.started = started
        self.ended: int | None = None
        self.code: int | None = None
        self.execs: list[str] = []
        self.facts: tuple[Any, ...] = ()

    def value(self) -> Process:
        """The process as the model has it."""
        times = (self.started, self.ended, self.code, tuple(self.execs))
        values: tuple[Any, ...] = (self.key, self.parent, *self.facts, *times)
        return Process(*values)
