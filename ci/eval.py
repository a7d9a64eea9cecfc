"""`make eval`: what is caught and who is wrongly accused, beside GuardDog on the same files, in one table.

Simulations and honest packages go through the installed `package-hunter scan`; GuardDog (in an environment of
its own) looks at the very same archives and folders. docs/evaluation.md is all from one run of this.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from package_hunter.cli.simulate_pack import pack

ROOT = Path(__file__).resolve().parent.parent
HUNT = Path(sys.executable).parent / "package-hunter"
HIGH_LABELS = ("high", "critical")


@dataclass(slots=True)
class Case:
    """One thing to scan. ``group`` is simulation, loud or plain; ``target`` what `scan` gets."""

    name: str
    group: str
    ecosystem: str
    target: str
    files: tuple[str, ...]  # what GuardDog looks at
    expect: str = "no_findings"
    version: str = ""
    verdict: str = ""
    by: str = ""
    note: str = ""
    seconds: float = 0.0
    guarddog: str = ""
    guarddog_seconds: float = 0.0


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
    """Every bundled simulation that expects to be caught, and those that are known to be missed."""
    for path in sorted((ROOT / "simulations").glob("*/simulation.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        folder = path.parent
        parts = [str(p.parent) for p in folder.glob("*/*") if p.name in ("package.json", "pyproject.toml")]
        parts += [str(p.parent) for p in folder.glob("*/*.gemspec")]
        ecosystem = {"pip": "pypi", "gem": "rubygems"}.get(data["ecosystem"], "npm")
        yield Case(
            folder.name,
            "simulation",
            ecosystem,
            str(pack(folder, data["ecosystem"], work)),
            tuple(sorted(set(parts))),
            expect=data["expect"],
            note=data.get("why", ""),
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


def honest(work: Path) -> Iterator[Case]:
    """The corpus, fetched."""
    corpus = tomllib.loads((ROOT / "ci/corpus.toml").read_text(encoding="utf-8"))
    for group in ("loud", "plain"):
        cases: list[Case | None] = [npm_case(name, group, work) for name in corpus["npm"][group]]
        sdists = corpus["pypi"]["sdist"]
        cases += [pypi_case(n, group, n in sdists, work) for n in corpus["pypi"][group]]
        yield from (c for c in cases if c is not None)


def scan(case: Case, work: Path) -> None:
    """Our own verdict."""
    out = work / "reports" / f"{case.group}-{case.name.replace('/', '_')}.json"
    out.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    done = run(HUNT, "scan", case.target, "--format", "json", "-o", out, "--fail-on", "never", "-q")
    case.seconds = time.monotonic() - started
    if not out.exists():
        case.verdict = "not supported" if done.returncode == 3 else "error"
        case.note = (done.stderr.strip().splitlines() or ["no output"])[-1][:160]
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
    order = ["no_risks_detected", "low", "medium", "high", "critical"]
    worst = -1
    started = time.monotonic()
    for file in case.files:
        done = run(program, case.ecosystem, "scan", file, "--output-format", "json", timeout=300)
        try:
            label = json.loads(done.stdout)["risk_score"]["label"]
        except (ValueError, KeyError, TypeError):
            continue
        worst = max(worst, order.index(label) if label in order else 1)
    case.guarddog_seconds = time.monotonic() - started
    case.guarddog = order[worst] if worst >= 0 else "no answer"


def share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part / whole:.0f} %)" if whole else "")


def figures(cases: list[Case]) -> dict[str, dict[str, str]]:
    """The comparison: accused is malicious for us, the label high or worse for GuardDog; noticed is more than
    nothing."""
    judged = [c for c in cases if c.verdict not in ("not supported", "error")]
    views = {
        "Package Hunter": (
            judged,
            lambda c: c.verdict == "malicious",
            lambda c: c.verdict in ("malicious", "suspicious"),
            lambda c: c.seconds,
        ),
        "GuardDog": (
            [c for c in cases if c.guarddog and c.guarddog != "no answer"],
            lambda c: c.guarddog in HIGH_LABELS,
            lambda c: c.guarddog != "no_risks_detected",
            lambda c: c.guarddog_seconds,
        ),
    }
    result = {}
    for tool, (seen, accused, noticed, seconds) in views.items():
        bad = [c for c in seen if c.group == "simulation"]
        good = [c for c in seen if c.group != "simulation"]
        flagged = [c for c in seen if noticed(c)]
        times = sorted(seconds(c) for c in seen)
        result[tool] = {
            "simulations noticed (recall)": share(sum(map(noticed, bad)), len(bad)),
            "simulations called malicious": share(sum(map(accused, bad)), len(bad)),
            "honest packages called malicious (false accusations)": share(sum(map(accused, good)), len(good)),
            "loud honest packages to review": share(
                sum(noticed(c) for c in good if c.group == "loud"), sum(c.group == "loud" for c in good)
            ),
            "plain honest packages to review": share(
                sum(noticed(c) for c in good if c.group == "plain"), sum(c.group == "plain" for c in good)
            ),
            "precision of what it notices": share(
                sum(c.group == "simulation" for c in flagged), len(flagged)
            ),
            "median wall seconds a package": f"{times[len(times) // 2]:.1f}" if times else "-",
        }
    return result


def markdown(cases: list[Case], versions: dict[str, str]) -> str:
    """docs/evaluation.md."""
    numbers = figures(cases)
    tools = list(numbers)
    lines = [
        "# Evaluation",
        "",
        "Made by `make eval` in one run; every figure is from it. "
        + ", ".join(f"{k} {v}" for k, v in versions.items())
        + ". GuardDog reads the source of the very same files, with its default rules; its label `high` or "
        "`critical` is counted as an accusation, any other label but `no_risks_detected` as a package to "
        "review. The simulations are ours, so the comparison on them favours us: read it as what each tool "
        "can see, not as a contest.",
        "",
        "| | " + " | ".join(tools) + " |",
        "|---|" + "---|" * len(tools),
    ]
    lines += [f"| {row} | " + " | ".join(numbers[t][row] for t in tools) + " |" for row in numbers[tools[0]]]
    inconclusive = [c for c in cases if c.verdict == "inconclusive"]
    lines += [
        "",
        f"Inconclusive: {len(inconclusive)} of {len(cases)} (counted as not noticed). Not supported or "
        f"failed: {sum(c.verdict in ('not supported', 'error') for c in cases)}.",
        "",
    ]
    for group in ("simulation", "loud", "plain"):
        lines += [f"## {group.capitalize()}{'s' if group == 'simulation' else ' honest packages'}", ""]
        lines += [
            "| package | version | verdict | by | s | GuardDog | s | note |",
            "|---" * 8 + "|",
        ]
        lines += [
            f"| {c.name} | {c.version or '-'} | {c.verdict.replace('_', ' ')} | {c.by or '-'} "
            f"| {c.seconds:.1f} | "
            f"{c.guarddog.replace('_', ' ') or '-'} | {c.guarddog_seconds:.1f} | {c.note.replace('|', '/')} |"
            for c in cases
            if c.group == group
        ]
        lines.append("")
    return "\n".join(lines)


def bars(cases: list[Case]) -> list[str]:
    """Which of the bars are not met."""
    broken = []
    due = [c for c in cases if c.group == "simulation" and c.expect != "missed"]
    unseen = [c.name for c in due if c.verdict not in ("malicious", "suspicious")]
    if unseen:
        broken.append(f"simulations not caught: {', '.join(unseen)}")
    if due and sum(c.verdict == "malicious" for c in due) < 0.9 * len(due):
        broken.append(f"less than 90 % of {len(due)} simulations are malicious")
    good = [c for c in cases if c.group != "simulation"]
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


def main() -> int:
    """Run it; exit code 1 where a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".eval", help="archives, reports and GuardDog go here"
    )
    parser.add_argument("--only", help="only cases whose name or group contains this")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/evaluation.md")
    parser.add_argument("--no-guarddog", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(exist_ok=True)
    dog = None if options.no_guarddog else prepare_guarddog(options.work)
    cases = [*simulations(options.work), *honest(options.work)]
    if options.only:
        cases = [c for c in cases if options.only in c.name or options.only in c.group]
    for number, case in enumerate(cases, 1):
        scan(case, options.work)
        if dog is not None:
            guarddog(case, dog)
        ours = f"{case.group} {case.name}: {case.verdict} ({case.seconds:.1f} s)"
        say(f"[{number}/{len(cases)}] {ours}, {case.guarddog}")
        (options.work / "cases.json").write_text(json.dumps([asdict(c) for c in cases], indent=1))
    versions = {"Package Hunter": run(HUNT, "--version").stdout.split()[-1]}
    if dog is not None:
        versions["GuardDog"] = (run(dog, "--version").stdout.split() or ["?"])[-1]
    versions |= {"Python": platform.python_version(), "kernel": platform.release()}
    text = markdown(cases, versions)
    options.output.write_text(text + "\n", encoding="utf-8")
    print(text[: text.index("## Simulations")])
    broken = bars(cases)
    for sentence in broken:
        say(f"bar not met: {sentence}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
