# ruff: noqa: E501  (lines of a printed table)
"""What watching costs a real `npm install` of 300 and more packages, in one run, alternating: bare, in the box
unwatched, watched (events received and decoded), watched and judged. `RUNS` sets how often (2).

The share of CPU is that of the probe (the kernel's own count of time in its programs, for every process of the
host and not only for the box, so it is an upper bound) and of the reader, of what the install itself burnt. Budgets: DESIGN, 5 %; a real Falco took 10 %.
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
from typing import Any

PROJECT = {
    "name": "many",
    "version": "1.0.0",
    "dependencies": dict.fromkeys(("express", "webpack", "typescript", "eslint", "jest"), "*"),
}
ONCE = Path(__file__).resolve().parent / "install_once.py"
WAYS = ("unwatched", "received", "judged")
STATS = Path("/proc/sys/kernel/bpf_stats_enabled")


def _bare(project: Path, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    (folder / "package.json").write_text((project / "package.json").read_text())
    started = time.perf_counter()
    process = subprocess.Popen(
        ["npm", "install", "--no-audit", "--no-fund"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {"seconds": time.perf_counter() - started, "box_cpu": usage.ru_utime + usage.ru_stime}


def _boxed(way: str, project: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, ONCE, way, project], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _with_kernel_time(project: Path) -> dict[str, Any]:
    """A judged scan with a probe of its own, while the kernel counts what that costs."""
    before = STATS.read_text()
    STATS.write_text("1")
    try:
        return _boxed("timed", project)
    finally:
        STATS.write_text(before)


def main() -> None:
    """Print seconds, ratios and shares."""
    runs = int(os.environ.get("RUNS", "2"))
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "many"
        project.mkdir()
        (project / "package.json").write_text(json.dumps(PROJECT))
        results: dict[str, list[dict[str, Any]]] = {w: [] for w in ("bare", *WAYS)}
        for run in range(runs + 1):  # the first fills the caches
            for way in results:
                if run == 0 and way in ("received", "judged"):
                    continue
                one = _bare(project, Path(name) / f"bare-{run}") if way == "bare" else _boxed(way, project)
                if run:
                    results[way].append(one)
        timed = _with_kernel_time(project)
    _print(results, timed["probe_cpu"], timed)


def _print(results: dict[str, list[dict[str, Any]]], probe: float, timed: dict[str, Any]) -> None:
    def median(way: str, key: str) -> float:
        return statistics.median(r[key] for r in results[way])

    print("   npm install              wall s   CPU s of the install   against the line before")
    previous = None
    for way, label in (("bare", "bare"), ("unwatched", "in the box, unwatched"), ("received", "watched"), ("judged", "watched and judged")):  # fmt: skip
        ratio = f"{median(way, 'seconds') / median(previous, 'seconds'):.2f}" if previous else ""
        print(
            f"   {label:24} {median(way, 'seconds'):6.1f}   {median(way, 'box_cpu'):6.1f}                 {ratio}"
        )
        previous = way
    last = results["judged"][-1]
    print(
        f"   watched and judged against bare: {median('judged', 'seconds') / median('bare', 'seconds'):.2f} (budget 1.10); "
        f"against the unwatched box: {median('judged', 'seconds') / median('unwatched', 'seconds'):.2f}"
    )
    install = median("bare", "box_cpu")
    received, reader = median("received", "reader_cpu"), median("judged", "reader_cpu")
    for label, seconds in (("probe (in the kernel)", probe), ("reader, decoding only", received), ("reader, judging", reader), ("probe + reader", probe + reader)):  # fmt: skip
        print(f"   CPU of the {label:22} {seconds:5.2f} s   {seconds / install:6.1%} of the bare install's")
    print(
        f"   {last['packages']} packages, {last['events']} events judged, {last['lost']} lost, frozen {last['frozen']:.2f} s, "
        f"reader's peak memory {last['reader_rss'] >> 20} MB; probe timed over {timed['events']} events"
    )


if __name__ == "__main__":
    main()
