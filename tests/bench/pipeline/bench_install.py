"""A real install of 400 and more packages: bare, and fetched, installed, observed and judged in the box, in turn.

Both sides have warm caches (npm's own, the gateway's) from a first run that does not count; the box's npm starts
with an empty cache of its own each time, so its packages come through the gateway. `RUNS` sets how often (3).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

PROJECT = {
    "name": "many",
    "version": "1.0.0",
    "dependencies": dict.fromkeys(("express", "webpack", "typescript", "eslint", "jest"), "*"),
}
HUNT = Path(sys.executable).parent / "package-hunter"


def _bare(project: Path, folder: Path) -> float:
    folder.mkdir()
    (folder / "package.json").write_text((project / "package.json").read_text())
    started = time.perf_counter()
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def _boxed(project: Path) -> tuple[float, float, dict]:
    started = time.perf_counter()
    done = subprocess.run(
        [HUNT, "scan", project, "--format", "json", "-q", "--fail-on", "never"],
        check=True,
        capture_output=True,
    )
    report = json.loads(done.stdout)
    phases = {p["name"]: p["seconds"] for p in report["coverage"]["phases"]}
    return phases["fetch"] + phases["install"], time.perf_counter() - started, report["coverage"]


def main() -> None:
    """Print seconds, ratios and what was observed."""
    runs = int(os.environ.get("RUNS", "3"))
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "many"
        project.mkdir()
        (project / "package.json").write_text(json.dumps(PROJECT))
        bare, phases, whole, coverage = [], [], [], {}
        for run in range(runs + 1):
            seconds = _bare(project, Path(name) / f"bare-{run}")
            inside, outside, coverage = _boxed(project)
            if run:
                bare.append(seconds)
                phases.append(inside)
                whole.append(outside)
    ratio = statistics.median(b / a for a, b in zip(bare, phases, strict=True))
    print(f"   npm install, bare            {statistics.median(bare):6.1f} s (median of {runs})")
    print(f"   fetch + install in the box   {statistics.median(phases):6.1f} s")
    print(f"   ratio                        {ratio:6.2f}   (budget 1.10)")
    print(f"   the whole scan               {statistics.median(whole):6.1f} s")
    print(
        f"   {coverage['packages']['installed']} packages, {coverage['events']} events, {coverage['dropped']} lost, "
        f"frozen {coverage['frozen_seconds']:.2f} s; CPU of all children {getrusage(RUSAGE_CHILDREN).ru_utime:.0f} s"
    )


if __name__ == "__main__":
    main()
