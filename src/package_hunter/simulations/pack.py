"""Packs a simulation as its registry would serve it, where its ecosystem has a form for that: npm ones are scanned as
the folder of a project, Python ones as a source distribution, Ruby ones as a gem. Same bytes every time. An honest twin
is its simulation with the twin's files laid over it."""

from __future__ import annotations

import shutil
from pathlib import Path

from package_hunter.ecosystems.known import ecosystems
from package_hunter.errors import UsageError

TWIN = "twin.toml"


def pack(folder: Path, ecosystem: str, into: Path, over: Path | None = None) -> Path:
    """What to scan for the simulation in ``folder``, with the files of its twin ``over`` it where that is given;
    archives and twins are written to ``into``."""
    if over is not None:
        into = into / "honest"
        folder = _laid_over(folder, over, into / folder.name)
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


def _laid_over(folder: Path, over: Path, into: Path) -> Path:
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(folder, into)
    return Path(shutil.copytree(over, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns(TWIN)))
