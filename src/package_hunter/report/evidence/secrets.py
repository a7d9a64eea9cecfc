"""Fakes and their way out: where they lay, who read them, how they were wrapped, where they went.

Fakes of one file go one way: they are told together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_hunter.report import traffic, words

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

_MAX_WAYS = 300
_MAX_STEPS = 12
_MAX_LAWFUL = 200


@dataclass(slots=True)
class Step:
    """A read or a sending. ``process`` is the key of who did it, None where that is not known; ``kinds`` are the fakes,
    of each how many."""

    what: str
    who: str
    sure: str
    process: int | None
    wrapped: str = ""
    channel: str = ""
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Way:
    """Of the fakes of one place."""

    place: str
    kinds: Counter[str] = field(default_factory=Counter)
    read: list[Step] = field(default_factory=list)
    sent: list[Step] = field(default_factory=list)
    more: int = 0

    @property
    def left(self) -> bool:
        """Whether any went where it has no business."""
        return bool(self.sent)


@dataclass(slots=True)
class Secrets:
    """``lawful`` are places that were read by the programs that they are for alone, ``replaced`` real files of the
    project that did not enter the box."""

    ways: list[Way]
    more: int
    lawful: list[str]
    replaced: tuple[str, ...]


def followed(evidence: Exhibits) -> Secrets:
    """Of a report, those that left first."""
    report = evidence.report
    places = {c.id: c.place for c in report.canaries.placed}
    ways: dict[str, Way] = {}
    counted: set[str] = set()

    def way(canary: str, place: str) -> Way:
        found = ways.setdefault(place, Way(place))
        if canary not in counted:
            counted.add(canary)
            found.kinds[evidence.kinds.get(canary, canary)] += 1
        return found

    for read in traffic.unlawful_reads(report):
        found = Step(words.short(read.path), words.who(read.blame), words.sureness(read.blame), read.process)
        to = way(read.canary, places.get(read.canary, read.path))
        _keep(to, to.read, found, "")
    for hit in traffic.stolen(report):
        step = Step(
            hit.destination,
            words.who(hit.blame),
            words.sureness(hit.blame),
            evidence.process_of(hit.blame, hit.time_ns),
            ", ".join(hit.encoding),
            hit.channel,
        )
        to = way(hit.canary, places.get(hit.canary, hit.canary))
        _keep(to, to.sent, step, evidence.kinds.get(hit.canary, hit.canary))
    ordered = sorted(ways.values(), key=lambda w: (not w.left, w.place))
    lawful = sorted({r.path for r in traffic.lawful_reads(report)})
    return Secrets(
        ordered[:_MAX_WAYS], max(0, len(ordered) - _MAX_WAYS), lawful[:_MAX_LAWFUL], report.canaries.replaced
    )


def _keep(way: Way, steps: list[Step], step: Step, kind: str) -> None:
    known = next((s for s in steps if _same(s, step)), None)
    if known is None and len(steps) < _MAX_STEPS:
        steps.append(step)
        known = step
    if known is None:
        way.more += 1
    elif kind:
        known.kinds[kind] += 1


def _same(one: Step, other: Step) -> bool:
    """But for the process: the same program is started again and again."""
    return (one.what, one.who, one.wrapped, one.channel) == (
        other.what,
        other.who,
        other.wrapped,
        other.channel,
    )
