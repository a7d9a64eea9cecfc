"""What one round showed, with blame, and the findings made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from package_hunter.errors import HunterError
from package_hunter.findings import RoundFacts
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Canary, NetworkLog, Observation
from package_hunter.model.scan import CommandRun, Coverage, Leftovers, Package
from package_hunter.pipeline.rounds import Round


@dataclass(frozen=True)
class RoundResult:
    """See above. ``broken`` are sentences about what went wrong while it ran; ``coverage`` tells them too.
    ``faults`` are those of what failed through a fault of ours, in this round's boxes. ``left`` is what lived on."""

    round: Round
    runs: tuple[CommandRun, ...]
    observation: Observation
    network: NetworkLog
    canaries: tuple[Canary, ...]
    packages: tuple[Package, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    broken: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    left: Leftovers = field(default_factory=Leftovers)
    sources: Mapping[str, bytes] = field(default_factory=dict)  # by purl, of those that fetched something
    facts: RoundFacts = field(
        default_factory=RoundFacts
    )  # what it was judged by, beside observation and network


def not_run(turn: Round, error: HunterError, faults: tuple[str, ...] = ()) -> RoundResult:
    """A round that could not be made: nothing seen, and why."""
    why = (f"This part could not be scanned: {error.message}",)
    packages = turn.plan.inventory()
    return RoundResult(
        turn, (), Observation(), NetworkLog(), (), packages, Coverage(reasons=why), (), why, faults
    )
