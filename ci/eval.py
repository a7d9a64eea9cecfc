"""`make eval`: what is caught and who is wrongly accused, beside GuardDog on the same files, in one table.

Simulations and honest packages go through the installed `package-hunter scan`; GuardDog (in an environment of
its own) looks at the very same archives and folders. docs/evaluation.md is all from one run of this, or from parts of
one (`--groups`, `--resume`), each row with its commit.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ci.corpus import table

from package_hunter import __version__
from package_hunter.simulations.catalog import Simulation, discover, twins
from package_hunter.simulations.pack import pack

ROOT = Path(__file__).resolve().parent.parent
HUNT = Path(sys.executable).parent / "package-hunter"
LABELS = ("no_risks_detected", "low", "medium", "high", "critical")
HIGH_LABELS = ("high", "critical")
MILD = {"no_findings": ("no_findings",), "suspicious": ("no_findings", "suspicious")}  # what a twin may be
GROUPS = {
    "simulation": "Simulations",
    "twin": "Honest twins of the simulations",
    "loud": "Loud honest packages",
    "plain": "Plain honest packages",
}


@dataclass(slots=True)
class Case:
    """One thing to scan. ``group`` is simulation, twin, loud or plain; ``target`` what `scan` gets."""

    name: str
    group: str
    ecosystem: str
    target: str
    files: tuple[str, ...]  # what GuardDog looks at
    asks: str = ""  # options of `scan` beyond its defaults
    expect: str = "no_findings"
    version: str = ""
    verdict: str = ""
    by: str = ""
    note: str = ""
    seconds: float = 0.0
    guarddog: str = ""
    guarddog_seconds: float = 0.0
    commit: str = ""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(
    *command: str | Path, timeout: float = 900, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A command's output; a timeout counts as a failure."""
    words = [str(c) for c in command]
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", f"no end within {timeout:.0f} s")


def simulations(work: Path) -> Iterator[Case]:
    """Every bundled simulation that expects to be caught, those that are known to be missed, and their honest twins."""
    known = discover(ROOT / "simulations")
    yield from (_simulated(simulation, "simulation", work) for simulation in known.values())
    yield from (_simulated(twin, "twin", work) for twin in twins(known, ROOT / "simulations").values())


def _simulated(simulation: Simulation, group: str, work: Path) -> Case:
    target = pack(simulation.folder, simulation.ecosystem, work, simulation.over)
    folder = target if target.is_dir() else simulation.folder
    parts = [str(p.parent) for p in folder.glob("*/*") if p.name in ("package.json", "pyproject.toml")]
    parts += [str(p.parent) for p in folder.glob("*/*.gemspec")]
    return Case(
        simulation.folder.name,
        group,
        {"pip": "pypi", "gem": "rubygems"}.get(simulation.ecosystem, "npm"),
        str(target),
        tuple(sorted(set(parts))) if simulation.over is None or target.is_dir() else (str(target),),
        asks=simulation.asks,
        expect=simulation.expect,
        note=simulation.why,
    )


def npm_case(name: str, group: str, work: Path) -> Case | None:
    """The latest version, fetched as an archive for GuardDog and as a purl for us."""
    done = run("npm", "pack", name, "--json", "--silent", cwd=work, timeout=120)
    try:
        packed = json.loads(done.stdout)
        info = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    except (ValueError, LookupError, StopIteration):
        say(f"left out: npm pack {name}: {done.stderr.strip()[-200:]}")
        return None
    purl = f"pkg:npm/{info['name'].replace('@', '%40', 1)}@{info['version']}"
    return Case(name, group, "npm", purl, (str(work / info["filename"]),), version=info["version"])


def pypi_case(name: str, group: str, sdist: bool, work: Path) -> Case:
    """The latest version; of loud ones the source archive, which is built in the box."""
    folder = work / f"py-{name}"
    folder.mkdir(exist_ok=True)
    kind = ["--no-binary", name] if sdist else ["--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "--disable-pip-version-check"]
    done = run(*pip, *kind, "-d", folder, name, timeout=300)
    found = sorted(folder.iterdir())
    if not found:  # pip must prepare a source archive's metadata, which fails where a library is missing
        say(f"not for GuardDog: pip download {name}: {done.stderr.strip()[-200:]}")
        return Case(name, group, "pypi", f"pkg:pypi/{name}", ())
    archive = found[0]
    version = archive.name.removesuffix(".tar.gz").rpartition("-")[2] if sdist else archive.name.split("-")[1]
    target = str(archive) if sdist else f"pkg:pypi/{name}@{version}"
    return Case(name, group, "pypi", target, (str(archive),), version=version)


def honest(work: Path, wanted: Callable[[str, str], bool]) -> Iterator[Case]:
    """The corpus, as far as it is wanted (name, group), fetched."""
    listed = tomllib.loads((ROOT / "ci/corpus.toml").read_text(encoding="utf-8"))
    for group in ("loud", "plain"):
        names = [n for n in listed["npm"][group] if wanted(n, group)]
        cases: list[Case | None] = [npm_case(name, group, work) for name in names]
        sdists = listed["pypi"]["sdist"]
        names = [n for n in listed["pypi"][group] if wanted(n, group)]
        cases += [pypi_case(n, group, n in sdists, work) for n in names]
        yield from (c for c in cases if c is not None)


def corpus(work: Path, wanted: Callable[[str, str], bool], reuse: bool) -> list[Case]:
    """The honest packages, fetched now or by an earlier run."""
    kept = work / "fetched.json"
    if reuse and kept.exists():
        known = [Case(**{**c, "files": tuple(c["files"])}) for c in json.loads(kept.read_text())]
        return [c for c in known if wanted(c.name, c.group)]
    found = list(honest(work, wanted))
    kept.write_text(json.dumps([asdict(c) for c in found], indent=1))
    return found


def scan(case: Case, work: Path) -> None:
    """Our own verdict."""
    out = work / "reports" / f"{case.group}-{case.name.replace('/', '_')}.json"
    out.parent.mkdir(exist_ok=True)
    out.unlink(missing_ok=True)  # an earlier run's
    started = time.monotonic()
    options = ["--format", "json", "-o", str(out), "--fail-on", "never", "-q", *case.asks.split()]
    done = run(HUNT, "scan", case.target, *options)
    case.seconds = time.monotonic() - started
    if not out.exists():
        case.verdict = "not supported" if done.returncode == 3 else "error"
        case.note = (done.stderr.strip().splitlines() or ["no output"])[0][:160]
        return
    report: dict[str, Any] = json.loads(out.read_text())
    counting = [f for f in report["findings"] if f["severity"] != "info" and f["waived"] is None]
    proof = [f["kind"] for f in counting if f["proof"]]
    case.verdict = report["verdict"]
    case.by = ", ".join(dict.fromkeys(proof or [f["kind"] for f in counting]))
    if report["coverage"]["reasons"]:
        case.note = report["coverage"]["reasons"][0][:160]


def guarddog(case: Case, program: Path) -> None:
    """GuardDog's default verdict on the same files: its risk label; the worst where there are several."""
    worst = -1
    started = time.monotonic()
    for file in case.files:
        done = run(program, case.ecosystem, "scan", file, "--output-format", "json", timeout=300)
        try:
            label = json.loads(done.stdout)["risk_score"]["label"]
        except (ValueError, KeyError, TypeError):
            continue
        worst = max(worst, LABELS.index(label) if label in LABELS else 1)
    case.guarddog_seconds = time.monotonic() - started
    case.guarddog = LABELS[worst] if worst >= 0 else "no answer"


def share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part / whole:.0f} %)" if whole else "")


View = tuple[Callable[[Case], bool], Callable[[Case], bool], Callable[[Case], bool], Callable[[Case], float]]
# of a tool's answers: which are any, which accuse, which send somebody to look, how long they took
VIEWS: dict[str, View] = {
    "Package Hunter": (
        lambda c: c.verdict not in ("not supported", "error"),
        lambda c: c.verdict == "malicious",
        lambda c: c.verdict in ("malicious", "suspicious"),
        lambda c: c.seconds,
    ),
    "GuardDog, medium or worse": (
        lambda c: c.guarddog in LABELS,
        lambda c: c.guarddog in HIGH_LABELS,
        lambda c: c.guarddog in ("medium", *HIGH_LABELS),
        lambda c: c.guarddog_seconds,
    ),
    "GuardDog, any risk": (
        lambda c: c.guarddog in LABELS,
        lambda c: c.guarddog in HIGH_LABELS,
        lambda c: c.guarddog in LABELS[1:],
        lambda c: c.guarddog_seconds,
    ),
}


def figures(cases: list[Case]) -> dict[str, dict[str, str]]:
    """The comparison: a row each figure, by tool."""
    result = {}
    for tool, (answered, accused, noticed, seconds) in VIEWS.items():
        seen = [c for c in cases if answered(c)]
        bad = [c for c in seen if c.group == "simulation"]
        good = [c for c in seen if c.group in ("loud", "plain")]
        reached = [c for c in bad if c.expect != "missed"]
        thefts = [c for c in reached if c.expect == "malicious"]
        twin = [c for c in seen if c.group == "twin"]
        flagged = [c for c in seen if noticed(c) and c.group != "twin"]
        times = sorted(map(seconds, seen))
        result[tool] = {
            "simulations noticed (recall)": share(sum(map(noticed, bad)), len(bad)),
            "simulations called malicious": share(sum(map(accused, bad)), len(bad)),
            "... of those whose trigger a phase reaches": share(sum(map(accused, reached)), len(reached)),
            "... and that do what only malware does": share(sum(map(accused, thefts)), len(thefts)),
            "honest twins of them called malicious": share(sum(map(accused, twin)), len(twin)),
            "honest packages called malicious (false accusations)": share(sum(map(accused, good)), len(good)),
            "honest packages to review: loud": _of_group(good, "loud", noticed),
            "honest packages to review: plain": _of_group(good, "plain", noticed),
            "precision of what it notices": share(
                sum(c.group == "simulation" for c in flagged), len(flagged)
            ),
            "wall seconds a package, median": f"{times[len(times) // 2]:.1f}" if times else "-",
            "wall seconds a package, slowest": f"{times[-1]:.1f}" if times else "-",
        }
    return result


def _of_group(cases: list[Case], group: str, noticed: Callable[[Case], bool]) -> str:
    mine = [c for c in cases if c.group == group]
    return share(sum(map(noticed, mine)), len(mine))


def _rows(cases: list[Case]) -> list[str]:
    lines = ["| package | version | verdict | by | s | GuardDog | s | note |", "|---" * 8 + "|"]
    for c in cases:
        note = "; ".join(filter(None, [f"asked for with `{c.asks}`" if c.asks else "", c.note]))
        cells = [c.name, c.version or "-", c.verdict.replace("_", " "), c.by or "-", f"{c.seconds:.1f}"]
        cells += [c.guarddog.replace("_", " ") or "-", f"{c.guarddog_seconds:.1f}", note]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return lines


def markdown(cases: list[Case], versions: dict[str, str], planned: int) -> str:
    """docs/evaluation.md."""
    numbers = figures(cases)
    lines = [
        "# Evaluation",
        "",
        "Made by `make eval`; every figure is from it. "
        + ", ".join(f"{k} {v}" for k, v in versions.items())
        + f". {len(cases)} of {planned} packages, on {date.today():%d %B %Y}, at "
        + f"{', '.join(sorted({case.commit for case in cases}))}.",
        "",
        "GuardDog reads the source of the very same files, with its default rules. Its label `high` or "
        "`critical` is counted as an accusation; for what it sends somebody to look at there are two columns, as "
        "its label `low` is common. The simulations are ours, so the comparison on them favours us: read it as "
        "what each tool can see, not as a contest. Wall times are of a machine that had other work, too. Of the "
        "simulations that no phase reaches, and of those that do nothing that only malware does (their `expect` is "
        "`suspicious`), the notes say why.",
        "",
        "| | " + " | ".join(numbers) + " |",
        "|---|" + "---|" * len(numbers),
    ]
    lines += [
        f"| {row} | " + " | ".join(n[row] for n in numbers.values()) + " |"
        for row in next(iter(numbers.values()))
        if any(n[row] != share(0, 0) for n in numbers.values())
    ]
    for word, verdicts in (("Inconclusive", ("inconclusive",)), ("No answer", ("not supported", "error"))):
        names = [f"{c.name} ({c.group})" for c in cases if c.verdict in verdicts]
        lines += ["", f"{word}, so not noticed: {len(names)}" + (f": {', '.join(names)}." if names else ".")]
    lines.append("")
    for group, title in GROUPS.items():
        if mine := [c for c in cases if c.group == group]:
            lines += [f"## {title}", "", *_rows(mine), ""]
    return "\n".join(lines)


def bars(cases: list[Case]) -> list[str]:
    """Which of the bars are not met."""
    broken = []
    due = [c for c in cases if c.group == "simulation" and c.expect != "missed"]
    unseen = [c.name for c in due if c.verdict not in ("malicious", "suspicious")]
    if unseen:
        broken.append(f"simulations not caught: {', '.join(unseen)}")
    thefts = [c for c in due if c.expect == "malicious"]
    if sum(c.verdict == "malicious" for c in thefts) < 0.95 * len(thefts):
        broken.append(
            f"less than 95 % of the {len(thefts)} simulations that do what only malware does are malicious"
        )
    twin = [c for c in cases if c.group == "twin"]
    broken += [f"the twin of {c.name} is {c.verdict}" for c in twin if c.verdict not in MILD[c.expect]]
    good = [c for c in cases if c.group in ("loud", "plain")]
    broken += [f"{c.name} is called malicious" for c in good if c.verdict == "malicious"]
    loud = [c for c in good if c.group == "loud"]
    if sum(c.verdict == "suspicious" for c in loud) > 0.1 * len(loud):
        broken.append("more than 10 % of the loud honest packages are suspicious")
    broken += [
        f"{c.name} is plain and suspicious" for c in good if c.group == "plain" and c.verdict == "suspicious"
    ]
    return broken


def prepare_guarddog(work: Path) -> Path | None:
    """GuardDog in an environment of its own; None where it cannot be had."""
    program = work / "guarddog" / "bin" / "guarddog"
    if not program.exists():
        run(sys.executable, "-m", "venv", work / "guarddog", timeout=120)
        done = run(work / "guarddog/bin/pip", "install", "-q", "guarddog", timeout=900)
        if done.returncode != 0:
            say(f"GuardDog cannot be installed: {done.stderr.strip()[-300:]}")
            return None
    return program


def kept(work: Path) -> dict[tuple[str, str], Case]:
    """What an earlier run has scanned, by group and name."""
    path = work / "cases.json"
    known = json.loads(path.read_text()) if path.exists() else []
    cases = (Case(**{**one, "files": tuple(one["files"])}) for one in known)
    return {(case.group, case.name): case for case in cases if case.verdict}


def main() -> int:
    """Run it; exit code 1 where a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".eval", help="archives, reports and GuardDog go here"
    )
    parser.add_argument("--groups", default=",".join(GROUPS), help="which of simulation, twin, loud, plain")
    parser.add_argument(
        "--resume", action="store_true", help="keep what an earlier run in --work has scanned"
    )
    parser.add_argument("--only", help="only cases whose name or group contains this")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/evaluation.md")
    parser.add_argument("--no-guarddog", action="store_true")
    parser.add_argument(
        "--reuse", action="store_true", help="take the honest packages as an earlier run fetched them"
    )
    options = parser.parse_args()
    options.work.mkdir(exist_ok=True)
    dog = None if options.no_guarddog else prepare_guarddog(options.work)

    def wanted(name: str, group: str) -> bool:
        asked = group in options.groups.split(",")
        return asked and (not options.only or options.only in name or options.only in group)

    cases = [c for c in simulations(options.work) if wanted(c.name, c.group)]
    cases += corpus(options.work, wanted, options.reuse)
    versions = {"Package Hunter": __version__}
    if dog is not None:
        versions["GuardDog"] = (run(dog, "--version").stdout.split() or ["?"])[-1]
    versions |= {"Python": platform.python_version(), "kernel": platform.release()}
    text = ""
    earlier = kept(options.work) if options.resume else {}
    commit = run("git", "rev-parse", "--short", "HEAD", cwd=ROOT).stdout.strip()
    for number, case in enumerate(cases, 1):
        if (before := earlier.get((case.group, case.name))) is not None:
            cases[number - 1] = before
            continue
        case.commit = commit
        scan(case, options.work)
        if dog is not None:
            guarddog(case, dog)
        ours = f"{case.group} {case.name}: {case.verdict} ({case.seconds:.1f} s)"
        say(f"[{number}/{len(cases)}] {ours}, {case.guarddog}")
        (options.work / "cases.json").write_text(json.dumps([asdict(c) for c in cases], indent=1))
        text = markdown(cases[:number], versions, len(cases))
        table.beside(options.output, text + "\n")
    text = markdown(cases, versions, len(cases))
    print(text[: text.index("## Simulations")])
    broken = bars(cases)
    for sentence in broken:
        say(f"bar not met: {sentence}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
