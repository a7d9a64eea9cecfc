"""Finds the combinations of data/combinations.yaml among the signals.

One pass over the signals in the order of time for each combination; for each scope (a process, a script's
tree, a package) only the last signal of each step is kept, so memory is bounded by scopes times steps.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence

from package_hunter.findings.catalog import Class, Combination, Step, combinations, kinds
from package_hunter.findings.signals import ONLY_FOR_COMBINATIONS, Signal
from package_hunter.model.finding import in_words

SECOND = 1_000_000_000
MAX_SCOPES = 10_000
MAX_TOOK = 1_000  # files that one script reads
_WITHOUT = "Without any one of these steps it would be no proof."


def _scope(signal: Signal, scope: str) -> Hashable | None:
    if scope == "process":
        return signal.process
    blame = signal.blame
    if blame is None:
        return None
    if blame.confidence == "tree" and signal.root is not None:
        return (blame.phase, signal.root)  # whose it is, is not known: at least it is one tree of processes
    if scope == "package":
        return (blame.package, blame.confidence == "tree")
    return (blame.phase, blame.package, blame.script)


def _fits(signal: Signal, step: Step) -> bool:
    if signal.kind not in step.kinds:
        return False
    if signal.weight is Class.INFO and signal.kind not in ONLY_FOR_COMBINATIONS:
        return False  # what raises nothing by itself is no step towards proof
    for fact, wanted in step.where.items():
        if fact == "at_least":
            if any(signal.facts.get(name, 0) < least for name, least in wanted.items()):
                return False
        elif signal.facts.get(fact) != wanted:
            return False
    return not any(signal.facts.get(fact) == known for fact, known in step.unless.items())


class _Partial:
    """How far a combination has come within one scope: the latest way to reach each step."""

    __slots__ = ("took", "ways")

    def __init__(self, steps: int) -> None:
        self.ways: list[tuple[Signal, ...] | None] = [None] * steps
        self.took: dict[
            tuple[str, bool], None
        ] = {}  # files of secrets that were read, keepers that were asked

    def note(self, signal: Signal) -> None:
        if signal.kind == "credential_access" and len(self.took) < MAX_TOOK:
            self.took[signal.subject, bool(signal.facts.get("keeper"))] = None

    def ordered(self, signal: Signal, fits: Sequence[bool]) -> tuple[Signal, ...] | None:
        for i in reversed(range(len(fits))):  # backwards: one signal is one step at most
            before = self.ways[i - 1] if i else ()
            if fits[i] and before is not None:
                self.ways[i] = (*before, signal)
        return self.ways[-1]

    def unordered(
        self, signal: Signal, fits: Sequence[bool], after: Sequence[int | None]
    ) -> tuple[Signal, ...] | None:
        for i, fit in enumerate(fits):
            first = after[i]
            before = self.ways[first] if first is not None else ()
            if fit and before is not None and not any(w and w[-1] is signal for w in self.ways):
                self.ways[i] = (*before, signal)
        if any(w is None for w in self.ways):
            return None
        # a step that another one waits for is told with that one
        way = (s for i, w in enumerate(self.ways) if w and i not in after for s in w)
        return tuple(sorted(way, key=lambda s: s.time_ns))


def _counts(combination: Combination, way: Sequence[Signal]) -> bool:
    """Whether the steps came within the time, and of two scripts where that is asked."""
    if combination.apart and _scope(way[0], "tree") == _scope(way[-1], "tree"):
        return False
    return way[-1].time_ns - way[0].time_ns <= combination.within * SECOND


_Took = tuple[str, bool]  # a file that was read, or (True) the command by which a keeper was asked
_Found = tuple[tuple[Signal, ...], tuple[_Took, ...]]
"""The signals of the steps, and the files of secrets that were read until then."""


def _matches(combination: Combination, signals: Iterable[Signal]) -> Iterator[_Found]:
    scopes: dict[Hashable, _Partial] = {}
    done: set[Hashable] = set()
    after = tuple(step.after for step in combination.steps)
    for signal in signals:
        key = _scope(signal, combination.scope)
        fits = [_fits(signal, step) for step in combination.steps]
        if key is None or key in done or not any(fits):
            continue
        if key not in scopes and len(scopes) >= MAX_SCOPES:
            continue
        partial = scopes.setdefault(key, _Partial(len(combination.steps)))
        partial.note(signal)
        way = partial.ordered(signal, fits) if combination.ordered else partial.unordered(signal, fits, after)
        if way and _counts(combination, way):
            done.add(key)
            yield way, tuple(partial.took)


_STRANGER = "a stranger"
_NAMED = {"{program}": frozenset(["dropped_executable"]), "{place}": frozenset(["persistence"])}


def _sentence(combination: Combination, way: Sequence[Signal], took: Sequence[_Took]) -> str:
    """What was taken and where it went, or what came from where."""
    hosts = [s.subject for s in way if _of_a_host(s)]
    said = combination.title.replace("{took}", _taken(took))
    for name, kinds_of in _NAMED.items():
        said = said.replace(name, in_words([s.subject for s in way if s.kind in kinds_of]))
    return said.replace("{where}", in_words(hosts) or _STRANGER)


def _taken(took: Sequence[_Took]) -> str:
    """What was done to come by secrets: files are read, programs are asked."""
    files, commands = ([what for what, asked in took if asked is kind] for kind in (False, True))
    read = f"read {in_words(files)}" if files or not commands else ""
    asked = f"asked for secrets by {in_words(commands)}" if commands else ""
    return " and ".join(filter(None, (read, asked)))


def _of_a_host(signal: Signal) -> bool:
    """Whether the signal's subject is a host: that of a rule about a command line is none."""
    by_host = signal.kind in ("data_sent", "fetched") or _by_host(signal.kind)
    return by_host and not re.search(r"[\s/]", signal.subject)


def _by_host(kind: str) -> bool:
    """Whether findings of the kind are told apart by host."""
    return kind in kinds() and kinds()[kind].group[:1] == ("name",)


def correlate(signals: Sequence[Signal]) -> Iterator[Signal]:
    """A signal for each combination that the given ones (in the order of time) make up."""
    for combination in combinations():
        kind = kinds()[combination.kind]
        for way, took in _matches(combination, signals):
            last = way[-1]
            yield Signal(
                time_ns=last.time_ns,
                kind=kind.name,
                weight=Class.PROOF,
                subject=last.subject,
                what=_sentence(combination, way, took),
                blame=last.blame,
                process=last.process,
                data={
                    "combination": combination.name,
                    "steps": [s.what for s in way],
                    "times": [s.time_ns for s in way],
                },
                attack=tuple(t for s in way for t in s.attack),
                explain=(
                    combination.says,
                    *(f"Step {i}: {s.what}." for i, s in enumerate(way, 1)),
                    _WITHOUT,
                ),
            )
