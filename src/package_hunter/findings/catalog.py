"""The kinds of findings and the combinations of them, read from the data files beside."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Class(enum.IntEnum):
    """How much a finding weighs, mildest first."""

    INFO = 0
    SUSPICIOUS = 1
    PROOF = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding (data/kinds.yaml says what each field means)."""

    name: str
    weight: Class
    severity: str
    title: str
    group: tuple[str, ...]
    attack: tuple[str, ...]
    raised: str
    lowers: str
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a combination: a signal of one of ``kinds`` for which every ``where`` fact holds, and none of
    ``unless``. It counts only once the step number ``after`` (from 0) was seen."""

    kinds: frozenset[str]
    where: Mapping[str, Any]
    unless: Mapping[str, Any] = field(default_factory=dict)
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Combination:
    """Steps that together mean more than each (data/combinations.yaml); ``within`` in seconds. ``act`` is what no
    honest program does, ``title`` the sentence of its finding ({took} is what was read or asked for, {where} is the
    host). ``apart``: the first step and the last must be of two scripts."""

    name: str
    kind: str
    scope: str  # "process" | "tree" | "package"
    within: float
    ordered: bool
    steps: tuple[Step, ...]
    says: str
    act: str
    title: str
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Daemon:
    """Helpers of the system that outlive who asked for them (data/daemons.yaml): paths of their programs, and of
    the programs that start them."""

    programs: frozenset[str]
    started_by: frozenset[str]


def load(name: str) -> Any:
    """A data file of this package."""
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one: ten times as fast where libyaml is there


@cache
def kinds() -> Mapping[str, Kind]:
    """Name -> kind."""
    return {
        name: Kind(
            name=name,
            weight=Class[k["class"].upper()],
            severity=k["severity"],
            title=k["title"],
            group=tuple(k["group"]),
            attack=tuple(k["attack"]),
            raised=k["raised"],
            lowers=k["lowers"],
            advice=tuple(k["advice"]),
        )
        for name, k in load("kinds.yaml").items()
    }


def _step(data: Mapping[str, Any]) -> Step:
    where, unless = data.get("where", {}), data.get("unless", {})
    return Step(frozenset(data["kinds"]), where, unless, data.get("after"))


@cache
def combinations() -> tuple[Combination, ...]:
    """All combinations, in the order of the file."""
    return tuple(
        Combination(
            name=name,
            kind=c["kind"],
            scope=c["scope"],
            within=float(c["within"]),
            ordered=c["ordered"],
            steps=tuple(_step(s) for s in c["steps"]),
            says=c["says"],
            act=c["act"],
            title=c.get("title", c["says"]),
            apart=c.get("apart", False),
        )
        for name, c in load("combinations.yaml").items()
    )


@cache
def daemons() -> Mapping[str, Daemon]:
    """Name -> helpers of that system program."""
    return {
        name: Daemon(frozenset(d["programs"]), frozenset(d["started_by"]))
        for name, d in load("daemons.yaml").items()
    }
