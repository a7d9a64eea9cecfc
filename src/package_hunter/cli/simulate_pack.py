"""Packs a simulation as its registry would serve it, where its ecosystem has a form for that: npm ones are scanned as
the folder of a project, Python ones as a source distribution, Ruby ones as a gem. Same bytes every time."""

from __future__ import annotations

from pathlib import Path

from package_hunter.ecosystems.known import ecosystems
from package_hunter.errors import UsageError


def pack(folder: Path, ecosystem: str, into: Path) -> Path:
    """What to scan for the simulation in ``folder``; archives are written to ``into``."""
    known = next((one for one in ecosystems() if one.facts.called(ecosystem)), None)
    if known is None or not known.facts.packed_by:
        return folder
    return known.planning().pack(_only(folder, known.facts.packed_by), into)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(f"*/{pattern}"))
    if len(found) != 1:
        said = f"{folder} should hold one package (*/{pattern}), not {len(found)}."
        raise UsageError(said, "Use a whole checkout.")
    return found[0].parent
