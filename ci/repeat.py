"""`make repeat`: the same scans, many times over, must say the same: verdict, kinds of findings, and whom they blame.

Five simulations, among them one that acts at every start of Python, one that spreads, one that waits for a date and one
with a timer. Exits with 1 where two scans of one differ, and prints in what. Times and numbers of processes are not
compared: they are no part of what is said.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from package_hunter.simulations.catalog import Simulation, discover
from package_hunter.simulations.pack import pack

ROOT = Path(__file__).resolve().parent.parent
HUNT = Path(sys.executable).parent / "package-hunter"
NAMES = ("eslint-scope", "litellm-pth", "shai-hulud-2", "gated-date", "canister-worm")
_SECONDS = 1_800  # for one scan

Said = tuple[str, ...]
"""What a scan said: its status and verdict, then a line for each kind of finding and package."""


def said(report: Mapping[str, Any]) -> Said:
    """Of a JSON report, what must be the same each time."""
    findings = {
        f"{item['kind']}{' (proof)' if item.get('proof') else ''} by {_blamed(item)}"
        for item in report.get("findings", ())
    }
    return (
        f"status {_word(report.get('status'))}",
        f"verdict {_word(report.get('verdict'))}",
        *sorted(findings),
    )


def differences(runs: Iterable[Said]) -> list[str]:
    """What not all scans said, with how many did; empty where they agree."""
    every = list(runs)
    counted = Counter(line for one in every for line in one)
    return [f"{line}: {n} of {len(every)}" for line, n in sorted(counted.items()) if n < len(every)]


def _blamed(finding: Mapping[str, Any]) -> str:
    blame = finding.get("blame") or {}
    return str(blame.get("package") or f"nobody ({blame.get('confidence', 'not known')})")


def _word(value: object) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)


def _scan(simulation: Simulation, work: Path) -> Said:
    target = pack(simulation.folder, simulation.ecosystem, work, simulation.over)
    words = [str(HUNT), "scan", str(target), "--format", "json", "--exit-zero", *simulation.asks.split()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)
    try:
        return said(json.loads(done.stdout))
    except ValueError:
        return (f"no report (exit status {done.returncode}): {done.stderr.strip()[-300:]}",)


def _repeated(simulation: Simulation, times: int) -> Iterator[Said]:
    for _ in range(times):
        with tempfile.TemporaryDirectory() as work:
            yield _scan(simulation, Path(work))


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("names", nargs="*", default=NAMES)
    options = parser.parse_args()
    known, failed = discover(ROOT / "simulations"), False
    for name in options.names:
        runs = list(_repeated(known[name], options.times))
        found = differences(runs)
        failed = failed or bool(found) or any(one[0].startswith("no report") for one in runs)
        print(f"{name}: {len(set(runs))} different in {len(runs)}; {'; '.join(runs[0])}", flush=True)
        print("".join(f"  differs: {line}\n" for line in found), end="", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
