"""The bundled harmless attacks, and their honest twins: which there are, and what is expected of each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.errors import UsageError
from package_hunter.simulations.pack import TWIN

HONEST = "honest"  # the folder of the twins


@dataclass(frozen=True, slots=True)
class Simulation:
    """One bundled attack, or its honest twin (``over`` holds the files that are laid over the attack's; ``expect`` is
    then the gravest verdict that it may get). ``expect`` is the verdict that a whole installation reaches, or
    ``missed`` where no phase reaches its trigger; ``why`` says why it is not ``malicious``. ``worlds`` and
    ``exercise`` are what a scan must be asked for beyond its defaults to reach the trigger."""

    name: str
    folder: Path
    title: str
    ecosystem: str
    expect: str
    why: str = ""
    worlds: str = "default"
    exercise: bool = False
    over: Path | None = None

    @property
    def asks(self) -> str:
        """The options of `scan` that it needs, ``""`` where the defaults do."""
        words = ["--exercise"] if self.exercise else []
        return " ".join([*words, f"--worlds {self.worlds}"] if self.worlds != "default" else words)


def home(given: Path | None = None) -> Path:
    """The folder of the simulations; UsageError where there is none."""
    folder = given or Path(__file__).resolve().parents[3] / "simulations"
    if not folder.is_dir():
        raise UsageError(
            f"There are no simulations at {folder}.",
            "Point --directory at the folder simulations/ of a checkout.",
        )
    return folder


def discover(folder: Path) -> dict[str, Simulation]:
    """Name -> simulation, in the order of the incidents."""
    found = []
    for path in sorted(folder.glob("*/simulation.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        simulation = Simulation(
            name=path.parent.name,
            folder=path.parent,
            title=data["title"],
            ecosystem=data["ecosystem"],
            expect=data["expect"],
            why=data.get("why", ""),
            worlds=data.get("worlds", "default"),
            exercise=data.get("exercise", False),
        )
        found.append((data["incident"], simulation))
    found.sort(key=lambda pair: (pair[0], pair[1].name))
    return {s.name: s for _, s in found}


def twins(known: dict[str, Simulation], folder: Path) -> dict[str, Simulation]:
    """Name -> the honest twin of each simulation that has one; ``folder`` is that of the simulations."""
    found = {}
    for name, simulation in known.items():
        over = folder / HONEST / name
        if (over / TWIN).is_file():
            data = tomllib.loads((over / TWIN).read_text(encoding="utf-8"))
            found[name] = replace(
                simulation, title=data["does"], expect=data["expect"], why=data.get("why", ""), over=over
            )
    return found


def choose(known: dict[str, Simulation], names: list[str]) -> list[Simulation]:
    """The named ones, or all; UsageError for a name that is none."""
    for name in names:
        if name not in known:
            raise UsageError(f"There is no simulation {name!r}.", f"There are: {', '.join(known)}.")
    return [known[name] for name in names] if names else list(known.values())
