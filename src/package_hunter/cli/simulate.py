"""`package-hunter simulate`: the bundled harmless attacks through the whole system, and what caught them."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from package_hunter.cli.console import Progress
from package_hunter.errors import HunterError, NothingToScanError
from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.simulations.catalog import Simulation, choose, discover, home, twins
from package_hunter.simulations.pack import pack

Scan = Callable[[Path, Simulation], Report]
_RANK = {"missed": 0, "no_findings": 0, "inconclusive": 0, "suspicious": 1, "malicious": 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one. ``by`` are the kinds of findings that raised the verdict."""

    name: str
    title: str
    ecosystem: str
    expect: str
    verdict: str
    caught: bool
    by: tuple[str, ...]
    seconds: float
    note: str = ""
    asks: str = ""
    honest: bool = False

    @property
    def as_expected(self) -> bool:
        """At least what was expected of it; of a twin, whose scan must be whole, at most that."""
        if self.honest:
            whole = self.verdict in ("no_findings", "suspicious", "malicious")
            return whole and _RANK[self.verdict] <= _RANK[self.expect]
        return _RANK.get(self.verdict, 0) >= _RANK[self.expect] and self.verdict != "error"


def run(simulations: list[Simulation], scan: Scan) -> Iterator[Outcome]:
    """Each through ``scan``, one after the other."""
    for simulation in simulations:
        yield run_one(simulation, scan)


def run_one(simulation: Simulation, scan: Scan) -> Outcome:
    """One through ``scan``; a scan that fails is an outcome too."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="simulation-") as into:
            target = pack(simulation.folder, simulation.ecosystem, Path(into), simulation.over)
            report = scan(target, simulation)
    except NothingToScanError as error:
        return _failed(simulation, "not supported", str(error), time.monotonic() - started)
    except HunterError as error:
        return _failed(simulation, "error", str(error), time.monotonic() - started)
    return outcome(simulation, report, time.monotonic() - started)


def side_by_side(simulations: list[Simulation], jobs: int, say: Callable[[str], None]) -> Iterator[Outcome]:
    """Several at a time, each in a process of its own; in the given order."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(min(jobs, len(simulations)), spawn) as pool:
        say(f"Simulating {', '.join(s.name for s in simulations)}")
        yield from pool.map(_in_a_process, simulations)


def _in_a_process(simulation: Simulation) -> Outcome:
    return run_one(simulation, _scan_with(Progress(quiet=True)))


def outcome(simulation: Simulation, report: Report, seconds: float) -> Outcome:
    """What a report says of a simulation."""
    counting = [f for f in report.findings if f.severity != "info" and f.waived is None]
    proof = [f.kind for f in counting if f.proof]
    verdict = str(report.verdict)
    reasons = report.coverage.reasons
    return Outcome(
        name=simulation.name,
        title=simulation.title,
        ecosystem=simulation.ecosystem,
        expect=simulation.expect,
        verdict=verdict,
        caught=verdict in ("malicious", "suspicious"),
        by=tuple(dict.fromkeys(proof or [f.kind for f in counting])),
        seconds=seconds,
        note=reasons[0] if reasons else simulation.why,
        asks=simulation.asks,
        honest=simulation.over is not None,
    )


def _failed(simulation: Simulation, verdict: str, note: str, seconds: float) -> Outcome:
    s = simulation
    honest = s.over is not None
    return Outcome(s.name, s.title, s.ecosystem, s.expect, verdict, False, (), seconds, note, s.asks, honest)


def table(outcomes: list[Outcome]) -> Table:
    """The table for people."""
    view = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    honest = any(o.honest for o in outcomes)
    names = ("twin", "does", "verdict", "right") if honest else ("simulation", "after", "verdict", "caught")
    for column in (*names, "by"):
        view.add_column(column, overflow="fold")
    view.add_column("s", justify="right")
    for o in outcomes:
        caught = (
            _right(o) if o.honest else "yes" if o.caught else "no, as expected" if o.as_expected else "NO"
        )
        by = ", ".join(o.by) or o.note
        name = f"{o.name} ({o.asks})" if o.asks else o.name
        view.add_row(name, o.title, o.verdict.replace("_", " "), caught, by, f"{o.seconds:.1f}")
    return view


def _right(twin: Outcome) -> str:
    return "yes" if twin.as_expected else "NO"


def _summary_of_twins(outcomes: list[Outcome]) -> str:
    malicious = sum(o.verdict == "malicious" for o in outcomes)
    quiet = sum(o.verdict == "no_findings" for o in outcomes)
    worse = [o.name for o in outcomes if not o.as_expected]
    text = f"{malicious} of {len(outcomes)} honest twins accused, {quiet} without findings."
    return text + (f" Not as expected: {', '.join(worse)}." if worse else " All as expected.")


def summary(outcomes: list[Outcome]) -> str:
    """The table in one sentence."""
    if any(o.honest for o in outcomes):
        return _summary_of_twins(outcomes)
    caught = sum(o.caught for o in outcomes)
    malicious = sum(o.verdict == "malicious" for o in outcomes)
    worse = [o.name for o in outcomes if not o.as_expected]
    text = f"{caught} of {len(outcomes)} caught, {malicious} of them as malicious."
    return text + (f" Worse than expected: {', '.join(worse)}." if worse else " All as expected.")


def _scan_with(progress: Progress) -> Scan:
    from package_hunter import pipeline

    def scan(target: Path, simulation: Simulation) -> Report:
        progress(f"Simulating {simulation.name}")
        phases = ("install", "import", *(("exercise",) if simulation.exercise else ()))
        options = pipeline.ScanOptions(phases=phases, worlds=tuple(simulation.worlds.split(",")))
        return pipeline.scan_target(str(target), options, progress=Progress(quiet=True))

    return scan


def simulate(  # noqa: PLR0913 (each is an option)
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all when left out.")] = None,
    directory: Annotated[Path | None, typer.Option(help="The folder of the simulations.")] = None,
    format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
    show: Annotated[bool, typer.Option("--list", help="Only list them.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    honest: Annotated[
        bool, typer.Option("--honest", help="Their honest twins instead: the same acts without the theft.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="How many side by side.")] = 1,
) -> None:
    """Run harmless copies of documented attacks through this installation, and show what was caught.

    With --honest their twins run, which must not be called malicious.

    Exit codes: 0 everything was judged as it should be, 1 something was not, 2 usage, 70 our own failure.
    """
    folder = home(directory)
    known = discover(folder)
    chosen = choose(twins(known, folder) if honest else known, names or [])
    if show:
        for s in chosen:
            typer.echo(
                f"{s.name:24} {s.ecosystem:4} {s.expect:11} {s.title}" + (f" ({s.asks})" if s.asks else "")
            )
        return
    progress = Progress(quiet)
    if jobs > 1 and len(chosen) > 1:
        outcomes = list(side_by_side(chosen, jobs, progress))
    else:
        outcomes = list(run(chosen, _scan_with(progress)))
    if format == "json":
        rows: list[dict[str, Any]] = [
            wire.plain(Outcome, o) | {"as_expected": o.as_expected} for o in outcomes
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        console = Console(highlight=False, emoji=False, markup=False)
        console.print(table(outcomes))
        console.print(summary(outcomes))
    raise typer.Exit(0 if all(o.as_expected for o in outcomes) else 1)
