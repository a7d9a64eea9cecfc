"""The rows: each fault, on which databases, over how many scans, in which time at the most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ci.faults import clock, database, disk, marks, network, uploads, waiting
from ci.faults.kills import killing
from ci.faults.row import Row
from ci.faults.scenario import Stage, disturbed, staged

QUICK = 0.1


class Impossible(Exception):
    """This host cannot make such a fault; says why."""


@dataclass(frozen=True)
class Planned:
    """A row that can be made. ``count`` scans, in ``seconds`` at the most."""

    name: str
    what: str
    database: str
    count: int
    seconds: float
    make: Callable[[Stage], Row]

    def run(self, scale: float, seed: int, logs: Path) -> Row:
        """Make it, with ``scale`` times the scans; ``logs``: where what the processes said is kept."""
        count = max(5, round(self.count * scale))
        with staged(self.name, self.what, self.database, (count, self.seconds), seed, logs) as stage:
            return self.make(stage)


_BOTH = ("SQLite", "PostgreSQL")
_ALONE = ("API", "supervisor", "worker", *marks.KINDS)


def _planned(name: str, what: str, on: str, size: tuple[int, float], make: Callable[[Stage], Row]) -> Planned:
    return Planned(f"{name}-{on.lower()}", what, on, *size, make)


def _kills() -> list[Planned]:
    found = []
    for on in _BOTH:
        kinds = _ALONE if on == "SQLite" else (*_ALONE, "PostgreSQL")
        for kind in kinds:
            name, what = f"kill-{kind.lower()}", f"kill -9: {kind}"
            found.append(_planned(name, what, on, (25, 1800), _killing((kind,))))
        found.append(_planned("kill-any", "kill -9: any of these", on, (200, 7200), _killing(kinds)))
    return found


def _killing(kinds: tuple[str, ...]) -> Callable[[Stage], Row]:
    return lambda stage: disturbed(stage, killing(kinds))


def _others() -> list[Planned]:
    both: list[tuple[str, str, tuple[int, float], Callable[[Stage], Row]]] = [
        ("disk-full", "disk of the data folder full for 3 to 15 s", (25, 1800), disk.full_disk),
        ("database-gone", "database gone (SQLite: locked by another) for 30 s", (25, 1800), database.away),
        ("clock-jump", "wall clock of server or a worker jumps, by 2 s to a day", (40, 1800), clock.jumping),
        ("uploads-at-once", "so many uploads at once", (200, 2400), uploads.at_once),
        ("upload-cut", "2 GB upload cut in the middle", (20, 1200), uploads.cut_large),
        ("waiting", "10,000 waiting, a part of them run", (40, 2400), waiting.many),
    ]
    alone: list[tuple[str, str, tuple[int, float], Callable[[Stage], Row]]] = [
        ("database-full", "disk of the database full for 3 to 15 s", (25, 1800), disk.full_database),
        (
            "network-cut",
            "network between workers and database cut, 5 to 40 s",
            (25, 1800),
            network.cut_network,
        ),
        ("bucket-cut", "network to the object store cut, 5 to 40 s", (25, 1800), network.cut_bucket),
    ]
    found = [_planned(name, what, on, size, make) for name, what, size, make in both for on in _BOTH]
    return [*found, *(_planned(name, what, "PostgreSQL", size, make) for name, what, size, make in alone)]


ROWS = (*_kills(), *_others())
