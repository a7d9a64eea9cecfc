"""What start-up files did together, and which of them does the same alone.

A manager that asks an interpreter what it is runs the start-up files of all packages in one process: for what is done
there nobody is blamed where several have one (blame/starts.py). Each of them is also started alone. An act that one
shows there too is its act in the shared start as well; what no start alone shows stays nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from package_hunter.findings.signals import Signal, stable
from package_hunter.model.observation import Blame

_SAME = (
    "It was seen in a start of the interpreter that runs all start-up files; {name}'s does the same alone."
)


def joined(signals: Iterable[Signal]) -> list[Signal]:
    """The signals, in their order; those of shared starts with the blame of who does the same alone. Of several, the
    first that was seen: all of them have the act in their own name."""
    every = list(signals)
    alone: dict[tuple[str, str], Blame] = {}
    for signal in every:
        blame = signal.blame
        if blame is not None and blame.package is not None and _is_start(blame):
            alone.setdefault((signal.kind, stable(signal.subject)), blame)
    return [_with_owner(signal, alone.get((signal.kind, stable(signal.subject)))) for signal in every]


def _with_owner(signal: Signal, owner: Blame | None) -> Signal:
    shared = signal.blame
    if shared is None or owner is None or not _is_shared(shared):
        return signal
    name = (owner.package or "").rpartition("/")[2].partition("@")[0]
    basis = _SAME.format(name=name)
    blame = replace(
        shared, package=owner.package, path=owner.path, script=owner.script, basis=basis, confidence="likely"
    )
    return replace(signal, blame=blame)


def _is_start(blame: Blame) -> bool:
    """Of one package's start-up file, which ran alone."""
    return blame.confidence == "certain" and (
        blame.phase == "startup" or (blame.script or "").endswith(".pth")
    )


def _is_shared(blame: Blame) -> bool:
    return blame.package is None and (blame.script, blame.confidence) == ("startup", "tree")
