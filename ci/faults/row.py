"""One row of the fault table: what was done, and what became of the scans meanwhile."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """``name``: what `--only` takes; ``what``: for people. ``times``: faults that were really injected.

    Of the scans that were *accepted* (the server answered with an id): ``finished`` once, with the verdict of an
    undisturbed scan; failed through the target, or through ``ours``; ``waiting`` where a row leaves some on purpose;
    ``lost``: none of these. ``doubled``: scans, accepted or not, that ended, or got a report, more than once.
    ``left``: what was left behind, a sentence each. ``notes``: what a reader should know. Times in seconds.
    """

    name: str
    what: str
    database: str
    times: int
    accepted: int
    finished: int
    target: int = 0
    ours: int = 0
    waiting: int = 0
    lost: int = 0
    doubled: int = 0
    left: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    seed: int = 0
    commit: str = ""
    date: str = ""

    @property
    def clean(self) -> bool:
        """Whether all is as it must be: every scan ended once, and nothing is left."""
        ended = self.finished + self.target + self.waiting
        return ended == self.accepted > 0 and not (self.ours or self.lost or self.doubled or self.left)


def as_json(row: Row) -> dict[str, Any]:
    """The row as plain values."""
    return asdict(row)


def from_json(data: dict[str, Any]) -> Row:
    """The row of what `as_json` gave (a run that was broken off goes on with it)."""
    known = {one.name: data[one.name] for one in fields(Row) if one.name in data}
    return Row(**{**known, "left": tuple(data["left"]), "notes": tuple(data["notes"])})
