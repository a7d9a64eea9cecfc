"""A real uv project of some hundred packages: `uv sync` bare, and fetched, installed, observed and judged in the box.

In turn, and bare twice: with an empty cache (what the box's uv has, too) and with uv's own warm one. The gateway's
cache is warm from a first run that does not count. `RUNS` sets how often (3).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from ci.corpus import bare, box
from ci.corpus.items import Item, projects

NAME = "uv-75"  # its lock file lists some more


def _bare(item: Item, folder: Path, uv: Path, cache: Path) -> float:
    """Seconds of uv in a new folder."""
    item.lay(folder)
    env = {**os.environ, "UV_CACHE_DIR": str(cache), "UV_PYTHON_DOWNLOADS": "never"}
    started = time.perf_counter()
    subprocess.run([uv / "uv", "sync", "--frozen"], cwd=folder, env=env, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Print seconds and ratios."""
    runs = int(os.environ.get("RUNS", "3"))
    [item] = [item for item in projects() if item.name == NAME]
    cold, warm, inside, count = [], [], [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        [uv] = bare.have(bare.MANAGERS["uv"], folder / "tools")
        for run in range(runs + 1):
            first = _bare(item, folder / f"cold-{run}", uv, folder / f"cache-{run}")
            second = _bare(item, folder / f"warm-{run}", uv, folder / "cache")
            scanned = box.scan(item, folder / "report.json")
            if run:
                cold.append(first)
                warm.append(second)
                inside.append(scanned.inside)
                count = len(scanned.tree)
    for what, seconds in (("with an empty cache", cold), ("with its own warm cache", warm)):
        ratio = statistics.median(b / a for a, b in zip(seconds, inside, strict=True))
        print(f"   uv sync, bare, {what:24} {statistics.median(seconds):6.1f} s   ratio {ratio:5.2f}")
    print(
        f"   fetch + install in the box, {count} packages {statistics.median(inside):6.1f} s (median of {runs})"
    )


if __name__ == "__main__":
    main()
