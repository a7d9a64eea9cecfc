"""A tool of the project that applies the project's own patches: milder, where it changed nothing else of others.

Whoever patches a dependency keeps the patch beside its code (``patches/NAME+VERSION.patch``) and has a tool that it
asks for itself apply it. The files that the patches name are known before anything runs. A tool that changes any
other file of another package besides is told with all of them, as is one that the project does not ask for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context
from package_hunter.findings.signals import Signal

OWN_PATCHES = (
    "In its favour: the project asks for this tool itself, and every file of another package that it changed is one "
    "that a patch file of the project names."
)


def soften(signals: Iterable[Signal], context: Context) -> list[Signal]:
    """The signals, those of such a tool as information."""
    found = list(signals)
    if not context.patched:
        return found
    changers = {_doer(signal) for signal in found if _changes(signal)}
    others = {_doer(signal) for signal in found if _changes(signal) and signal.subject not in context.patched}
    mild = {purl for purl in changers - others if _is_direct(purl, context)}
    return [
        replace(signal, weight=Class.INFO, explain=(*signal.explain, OWN_PATCHES))
        if _changes(signal) and _doer(signal) in mild
        else signal
        for signal in found
    ]


def _changes(signal: Signal) -> bool:
    return signal.kind == "package_tampering"


def _doer(signal: Signal) -> str | None:
    return signal.blame.package if signal.blame else None


def _is_direct(purl: str | None, context: Context) -> bool:
    package = context.packages.get(purl) if purl is not None else None
    return package is not None and package.direct
