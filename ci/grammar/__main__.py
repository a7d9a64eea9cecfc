"""`make grammar`: generated attacks and their honest siblings, many in one project, scanned in the box; prints the
table of what is missed by factor. `--seed` and `--count` choose; the same seed gives the same packages, and a run that
was broken off goes on where it stopped with `--resume`."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci.grammar.document import put
from ci.grammar.factors import Combination, sample
from ci.grammar.judge import Outcome, absent, as_json, from_json, outcome, share_noticed, table, wrong
from ci.grammar.write import Made, both, project

from package_hunter.simulations.pack import pack

ROOT = Path(__file__).resolve().parent.parent.parent
HUNT = Path(sys.executable).parent / "package-hunter"
NOTICED = 0.97  # of the attacks, the right one blamed


_WHAT = (
    "Generated attacks, each with an honest sibling that does the same acts in the same order with the same tools and "
    "reads nothing that is secret. *Proven*: malicious, blamed on that package. *Noticed*: suspicious, blamed on it. "
    "*By another*: found, but blamed on somebody else or nobody. Of siblings: to review (suspicious), accused "
    "(malicious). Below the table: each that did not come out as it must."
)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def batches(combinations: list[Combination], size: int) -> Iterator[tuple[str, list[Made]]]:
    """Packages of one ecosystem, attacks among siblings, for one project each."""
    numbered = list(enumerate(combinations))
    for ecosystem in ("npm", "pypi", "rubygems"):
        pairs = [both(number, c) for number, c in numbered if c.ecosystem == ecosystem]
        many = [sorted(pair, key=lambda made: made.name) for pair in pairs]
        step = size if ecosystem != "rubygems" else 1
        for first in range(0, len(many), step):
            chunk = [made for pair in many[first : first + step] for made in pair]
            if ecosystem == "rubygems":  # a gem is scanned as its registry serves it
                yield from ((ecosystem, [made]) for made in chunk)
            else:
                yield ecosystem, chunk


def scan(target: Path, report: Path, extra: list[str]) -> dict[str, Any]:
    """The JSON report; empty where there is none."""
    command = [
        str(HUNT),
        "scan",
        str(target),
        "--format",
        "json",
        "-o",
        str(report),
        "--exit-zero",
        "-q",
        *extra,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not report.exists():
        say(f"no report, exit {done.returncode}: {done.stderr.strip()[-500:]}")
        return {}
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def run_batch(name: str, ecosystem: str, packages: list[Made], work: Path, extra: list[str]) -> list[Outcome]:
    """One scan, an outcome for each package that it installed."""
    folder = project(ecosystem, packages, work / name)
    target = pack(folder, "gem", work) if ecosystem == "rubygems" else folder
    started = time.monotonic()
    report = scan(target, work / f"{name}.json", extra)
    if not report:
        return []
    gone = absent(packages, report)
    for made in gone:
        say(f"{name}: {made.name} was not installed ({made.combination})")
    found = [outcome(made, report) for made in packages if made not in gone]
    bad = sum(not o.right for o in found)
    say(
        f"{name}: {report['verdict']}, {len(found)} packages, {bad} wrong, {time.monotonic() - started:.0f} s"
    )
    for reason in report["coverage"]["reasons"][:5]:
        say(f"  {reason[:200]}")
    return found


def main() -> int:
    """Exit code 1 where the goal is not met."""
    parser = argparse.ArgumentParser(prog="grammar", description=__doc__)
    parser.add_argument("--seed", type=int, default=40)
    parser.add_argument("--count", type=int, default=40, help="combinations; each is two packages")
    parser.add_argument("--batch", type=int, default=6, help="combinations in one project")
    parser.add_argument("--work", type=Path, default=ROOT / ".eval/grammar")
    parser.add_argument("--only", default="", help="only combinations whose text contains this")
    parser.add_argument("--scan-options", default="--depth standard", help="further options of `scan`")
    parser.add_argument(
        "--resume", action="store_true", help="keep what a run of the same seed has in --work"
    )
    parser.add_argument("--seconds", type=float, help="begin no further scan after so many")
    parser.add_argument(
        "--document", type=Path, help="put the table into this file, such as docs/evaluation.md"
    )
    options = parser.parse_args()
    kept = options.work / "outcomes.json"
    known: dict[str, list[Any]] = json.loads(kept.read_text()) if options.resume and kept.exists() else {}
    if not known:
        shutil.rmtree(options.work, ignore_errors=True)
        options.work.mkdir(parents=True)
    began = time.monotonic()
    chosen = [c for c in sample(options.seed, options.count) if options.only in str(c)]
    expected = 2 * len(chosen)
    for number, (ecosystem, packages) in enumerate(batches(chosen, options.batch), 1):
        name = f"{ecosystem}-{number}"
        if name in known or (options.seconds and time.monotonic() - began > options.seconds):
            continue
        shutil.rmtree(options.work / name, ignore_errors=True)  # of a run that was broken off
        done = run_batch(name, ecosystem, packages, options.work, options.scan_options.split())
        known[name] = [as_json(o) for o in done]
        kept.write_text(json.dumps(known, indent=1), encoding="utf-8")
    found = [from_json(one) for batch in known.values() for one in batch]
    of = f"{len(found) // 2} of {len(chosen)}" if len(found) < expected else f"{len(chosen)}"
    head = f"{of} combinations of seed {options.seed}, `scan {options.scan_options}`."
    text = "\n\n".join(["## Attack grammar", _WHAT, head, table(found), *map("- {}".format, wrong(found))])
    print(text)
    if options.document:
        put(options.document, text.replace("\n\n- ", "\n- "))
    return _goal(found, expected)


def _goal(found: list[Outcome], expected: int) -> int:
    noticed, due = share_noticed(found)
    accused = sum(o.honest and o.got == "malicious" for o in found)
    say(f"noticed {noticed} of {due}; siblings accused: {accused}; not judged: {expected - len(found)}")
    return 0 if noticed >= NOTICED * due and not accused and len(found) == expected else 1


if __name__ == "__main__":
    sys.exit(main())
