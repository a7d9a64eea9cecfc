"""What start-up files did in another's process, and which of them does the same alone.

Each start of an interpreter runs the start-up files of all packages: also one that asks it what it is, for which nobody
is blamed (blame/starts.py), and each that another package's build or script starts, who would be blamed for it. Each
start-up file is also started alone. An act that one shows there is its act in the shared start as well; what no start
alone shows stays whose it was. Of another package's process, acts are taken only where *all* that the start-up file
does alone was done there: that it did run, and that a package shares one habit with it, are two things.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context
from package_hunter.findings.signals import ONLY_FOR_COMBINATIONS, Signal, stable
from package_hunter.model.ecosystem import Facts, derived, runs_at_start
from package_hunter.model.observation import Blame, Process

Act = tuple[str, str]
"""A signal's kind and what it was about, as it is from run to run."""

_ITS_END = frozenset({"left_running", "hang"})  # how a start ended, which goes by what else ran in it
_SAME = (
    "It was seen in a start of the interpreter that runs all start-up files; {name}'s does the same alone."
)


@dataclass(slots=True)
class _Alone:
    """What one package's start-up files showed when nothing else ran: its acts, those that weigh something, and how it
    is blamed for them."""

    blame: Blame
    acts: set[Act] = field(default_factory=set)
    grave: set[Act] = field(default_factory=set)

    def note(self, signal: Signal) -> None:
        """Count an act of it."""
        self.acts.add(_act(signal))
        weighs = signal.weight is not Class.INFO and signal.kind not in ONLY_FOR_COMBINATIONS
        if weighs and signal.kind not in _ITS_END:
            self.grave.add(_act(signal))


def joined(signals: Iterable[Signal], context: Context) -> list[Signal]:
    """The signals, in their order; those of shared starts with the blame of who does the same alone. Of several, the
    first that was seen: all of them have the act in their own name."""
    every = list(signals)
    alone: dict[str, _Alone] = {}
    for signal in every:
        if (blame := signal.blame) is not None and blame.package is not None and _is_start(blame):
            alone.setdefault(blame.package, _Alone(blame)).note(signal)
    if not alone:
        return every
    starts = {id(s): _interpreter(s, context) for s in every}
    done: dict[int, set[Act]] = defaultdict(set)
    for signal in every:
        if (start := starts[id(signal)]) is not None:
            done[start].add(_act(signal))
    return [_with_owner(signal, alone, done.get(starts[id(signal)] or -1, set())) for signal in every]


def _act(signal: Signal) -> Act:
    return signal.kind, stable(signal.subject)


def _with_owner(signal: Signal, alone: Mapping[str, _Alone], done: set[Act]) -> Signal:
    shared = signal.blame
    if shared is None or _is_start(shared):
        return signal
    whole = not _is_shared(shared)
    if whole and (shared.package is None or shared.package in alone):
        return signal
    owner = next(
        (
            one.blame
            for one in alone.values()
            if _act(signal) in one.acts and (not whole or one.grave <= done)
        ),
        None,
    )
    if owner is None:
        return signal
    name = (owner.package or "").rpartition("/")[2].partition("@")[0]
    basis = _SAME.format(name=name)
    blame = replace(
        shared, package=owner.package, path=owner.path, script=owner.script, basis=basis, confidence="likely"
    )
    return replace(signal, blame=blame)


def _interpreter(signal: Signal, context: Context) -> int | None:
    """The outermost interpreter below a command that the act descends from: each further one that it starts runs the
    start-up files as well. None where there is none, or it was told to leave them out."""
    key = signal.process
    if key is None and signal.blame is not None:
        key = context.key_of(signal.blame, signal.time_ns)
    found = [process.key for process in context.ancestors(key) if _runs_starters(process)]
    return found[-1] if found else None


def _runs_starters(process: Process) -> bool:
    words = process.cmdline.split()
    program = process.exepath.rpartition("/")[2] or (words or [""])[0].rpartition("/")[2]
    if _interpreters().fullmatch(program) is None:
        return False
    options = [word for word in words[1:6] if re.fullmatch(r"-[A-Za-z]+", word)]
    return not any("S" in word for word in options)


@derived
def _interpreters(known: tuple[Facts, ...]) -> re.Pattern[str]:
    names = {name for one in known if one.builds is not None for name in one.interpreters}
    return re.compile("|".join(rf"{re.escape(name)}[\d.]*" for name in sorted(names)) or r"(?!)")


def _is_start(blame: Blame) -> bool:
    """Of one package's start-up file, which ran alone."""
    return blame.confidence == "certain" and (blame.phase == "startup" or runs_at_start(blame.script or ""))


def _is_shared(blame: Blame) -> bool:
    return blame.package is None and (blame.script, blame.confidence) == ("startup", "tree")
