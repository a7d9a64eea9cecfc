"""A small package end to end, warm: where the time goes. `RUNS` sets how often (5).

The split is taken inside one scan after the other in one process, by timers around the steps' calls; the whole
is the console script's wall time, in a process of its own each.
"""

from __future__ import annotations

import functools
import importlib
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

PURL = "pkg:npm/left-pad@1.3.0"
HUNT = Path(sys.executable).parent / "package-hunter"
# what is timed: module, name of the function or Class.method, what it is
STEPS = (
    ("package_hunter.pipeline.journey", "load_matcher", "rules read and compiled"),
    ("package_hunter.pipeline.journey", "reap", "leftovers looked for"),
    ("package_hunter.pipeline.early_start", "EarlyStart.upstreams", "the host's registries waited for"),
    ("package_hunter.pipeline.journey", "rounds", "plan"),
    ("package_hunter.pipeline.detonate", "make_canaries", "canaries"),
    ("package_hunter.decoy.gateway", "GatewayProcess.__init__", "gateway started"),
    ("package_hunter.decoy.gateway", "Gateway.__init__", "gateway told what it is"),
    ("package_hunter.decoy.gateway", "Gateway.start", "gateway's answer waited for"),
    ("package_hunter.decoy.gateway", "Gateway.stop", "gateway ended"),
    ("package_hunter.sensor.live", "Probe.__init__", "probe loaded"),
    ("package_hunter.sensor.live", "Probe.attach", "probe attached"),
    ("package_hunter.sensor.live", "Probe.open_scan", "ring made"),
    ("package_hunter.sensor.live", "Probe.close", "probe taken out"),
    ("package_hunter.sandbox.runc", "RuncSandbox.create", "box made"),
    ("package_hunter.sandbox.runc", "RuncSandbox.start", "box started"),
    ("package_hunter.observe.reader", "Observer.start", "reader started"),
    ("package_hunter.sandbox.runc", "RuncSandbox.run", "commands (fetch, install, import)"),
    ("package_hunter.sandbox.settling", "watch", "settling"),
    ("package_hunter.sandbox.runc", "RuncSandbox.kill", "box ended"),
    ("package_hunter.observe.reader", "Observer.finish", "reader's answer waited for"),
    ("package_hunter.sandbox.runc", "RuncSandbox.destroy", "box taken away"),
    ("package_hunter.pipeline.journey", "judge_round", "judging"),
)


def _timed(spent: dict[str, float], what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def timer(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[what] += time.perf_counter() - started

    return timer


def _watch(spent: dict[str, float]) -> None:
    for module_name, name, what in STEPS:
        place: Any = importlib.import_module(module_name)
        *classes, attribute = name.split(".")
        for part in classes:
            place = getattr(place, part)
        setattr(place, attribute, _timed(spent, what, getattr(place, attribute)))


def _split(runs: int) -> None:
    from package_hunter import pipeline

    spent: dict[str, float] = defaultdict(float)
    _watch(spent)
    rows: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        spent.clear()
        started = time.perf_counter()
        pipeline.scan_target(PURL, pipeline.ScanOptions())
        rows["the whole scan"].append(time.perf_counter() - started)
        for what, seconds in spent.items():
            rows[what].append(seconds)
    for what, seconds in rows.items():
        print(f"   {statistics.median(seconds) * 1000:7.0f} ms  {what}")


def main() -> None:
    """Print the split, and the wall time of the whole command."""
    runs = int(os.environ.get("RUNS", "5"))
    walls = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([HUNT, "scan", PURL, "-q", "-o", "/dev/null"], check=True)
        walls.append(time.perf_counter() - started)
    started = time.perf_counter()
    subprocess.run([HUNT, "--version"], check=True, stdout=subprocess.DEVNULL)
    print(f"   {(time.perf_counter() - started) * 1000:7.0f} ms  package-hunter --version")
    print(
        f"   {statistics.median(walls) * 1000:7.0f} ms  package-hunter scan {PURL} (least {min(walls):.2f} s)"
    )
    _split(runs)


if __name__ == "__main__":
    main()
