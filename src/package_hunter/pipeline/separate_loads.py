"""Packages loaded apart: each in a process of its own, what is depended on first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from package_hunter.ecosystems.base import Plan
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Command, Phase

MAX_LOADS = 150  # processes in one box
LOAD_SECONDS = 5.0


@dataclass
class SeparateLoads:
    """Which packages a further box loads apart; ``order`` are the purls as they were loaded, by suspect, and
    ``whole`` the suspects of which all that they depend on was."""

    suspects: tuple[str, ...]
    order: dict[str, list[str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def phase(self, plan: Plan, tree: BoxTree) -> Phase:
        """The loads, in order. The plan's inventory must have been taken."""
        imports = [
            command for phase in plan.later(tree) for command in phase.commands if phase.name == "import"
        ]
        loads: dict[str, Command] = {}
        for suspect in self.suspects:
            below, whole = _below(plan, suspect)
            self.order[suspect] = [*below, suspect]
            if whole:
                self.whole.add(suspect)
            loads |= {purl: command for purl, command in below.items() if purl not in loads}
        themselves = [command for command in imports if command.blame_purl in self.suspects]
        below_only = [command for purl, command in loads.items() if purl not in self.suspects]
        every = (
            replace(item, timeout=min(item.timeout, LOAD_SECONDS)) for item in (*below_only, *themselves)
        )
        return Phase("narrow", tuple(every))


def _below(plan: Plan, suspect: str) -> tuple[dict[str, Command], bool]:
    """The loads of everything below a package, what is depended on first; where those are too many, of what
    it depends on directly, and False."""
    found: dict[str, Command] = {}
    direct = _needed(plan, suspect)
    stack = [(purl, command, False) for purl, command in reversed(direct.items())]
    entered = {suspect}
    while stack and len(found) <= MAX_LOADS:
        purl, command, left = stack.pop()
        if left:
            found.setdefault(purl, command)
        elif purl not in entered:
            entered.add(purl)
            stack.append((purl, command, True))
            stack += [(p, c, False) for p, c in _needed(plan, purl).items() if p not in entered]
    if len(found) <= MAX_LOADS:
        return found, True
    return dict(list(direct.items())[:MAX_LOADS]), False


def _needed(plan: Plan, purl: str) -> dict[str, Command]:
    phase = plan.narrow(purl)
    commands = phase.commands if phase is not None else ()
    return {c.blame_purl: c for c in reversed(commands) if c.blame_purl is not None and c.blame_purl != purl}
