"""How far a scan looks: ``quick``, ``standard`` or ``deep``. One value says all of it; each deeper one holds the one
before."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

ALL_WORLDS = "all"


class DepthName(enum.StrEnum):
    """The depths, in order."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"


@dataclass(frozen=True, slots=True)
class Depth:
    """What a scan of this depth does beyond installing and loading each direct dependency. ``worlds`` are names of
    ecosystems.worlds, a box each; ``says`` is what it adds to the depth before, as a report tells it."""

    name: DepthName
    says: str = ""
    submodules: bool = False
    """Everything that can be loaded of the target and of direct dependencies is, within ``submodule_seconds``."""
    submodule_seconds: float = 0.0
    next_morning: bool = False
    """Where start-up places changed, the box lives on for one round more in which they are used."""
    hurried: bool = False
    """What still waits at the end gets a round in which time passes faster."""
    encoded: bool = False
    """What was fetched and not executed is answered in other encodings, a round each."""
    exercise: bool = False
    """What direct dependencies export is called."""
    worlds: tuple[str, ...] = ("default",)


DEPTHS: dict[DepthName, Depth] = {
    depth.name: depth
    for depth in (
        Depth(DepthName.QUICK),
        Depth(
            DepthName.STANDARD,
            "load every submodule, and wait for what acts later: after a pause, at the next login, in another month, "
            "in production",
            submodules=True,
            next_morning=True,
            hurried=True,
            encoded=True,
            submodule_seconds=30.0,
            worlds=("default", "elsewhere"),
        ),
        Depth(
            DepthName.DEEP,
            "call what direct dependencies export, and install in every world, another language among them",
            submodules=True,
            next_morning=True,
            hurried=True,
            encoded=True,
            submodule_seconds=120.0,
            exercise=True,
            worlds=(ALL_WORLDS,),
        ),
    )
}
QUICK, STANDARD, DEEP = DEPTHS.values()


def further(depth: Depth) -> Iterator[Depth]:
    """The depths that would look further, the next one first."""
    order = list(DEPTHS.values())
    yield from order[order.index(depth) + 1 :]
