"""From the request for a box to its first command's end (`true`): pooled, and made on the spot."""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import time

from package_hunter.model.box import BoxSpec
from package_hunter.model.scan import Command
from package_hunter.sandbox import RuncSandbox, pool

ROUNDS = 20


def _once(pooled: bool) -> dict[str, float]:
    pool.drain()
    if pooled:
        pool.fill_now()
    marks = {"begin": time.perf_counter()}
    box = RuncSandbox(BoxSpec(scan_id=f"bench-{secrets.token_hex(4)}"))
    try:
        box.create()
        marks["create"] = time.perf_counter()
        box.start()
        marks["start"] = time.perf_counter()
        done = box.run(Command(("true",), "/home/dev"), "bench")
        assert done.exit_code == 0
        # The first command runs when its first process has reported: well before this, its end.
        marks["run"] = time.perf_counter()
    finally:
        box.destroy()
    marks["destroy"] = time.perf_counter()
    times = list(marks.values())
    parts = {name: times[i + 1] - times[i] for i, name in enumerate(list(marks)[1:])}
    return {"total": marks["run"] - marks["begin"], **parts}


def main() -> None:
    if os.geteuid() != 0 or shutil.which("runc") is None:
        print("skipped: needs root and runc")
        return
    _once(pooled=True)
    measured: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for _ in range(ROUNDS):  # alternating, so that the machine's other load meets both alike
        for pooled in measured:
            measured[pooled].append(_once(pooled))
    pool.drain()
    print(f"{'ms, median (least)':24}{'total':>15}{'create':>15}{'start':>15}{'true':>15}{'destroy':>15}")
    for pooled, rounds in measured.items():
        cells = [[r[key] * 1e3 for r in rounds] for key in ("total", "create", "start", "run", "destroy")]
        shown = "".join(f"{statistics.median(c):>9.0f} ({min(c):.0f})" for c in cells)
        print(f"{'pooled' if pooled else 'unpooled':24}{shown}")
    print("budget: 100 ms pooled")
