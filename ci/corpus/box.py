"""The same item through a scan, and what its report says."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.corpus import gems
from ci.corpus.items import Item
from ci.corpus.trees import Tree, box_tree

HUNT = Path(sys.executable).parent / "package-hunter"
SECONDS = 900


@dataclass(frozen=True)
class Scanned:
    """A scan: exit status, seconds of all of it and of fetch and install, and what the report says."""

    status: int
    seconds: float
    inside: float
    tree: Tree
    verdict: str
    findings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@functools.cache
def _depth() -> tuple[str, ...]:
    """The depth whose speed is compared, where scans have depths."""
    told = subprocess.run([str(HUNT), "scan", "--help"], capture_output=True, text=True, check=True)
    return ("--depth", "quick") if "--depth" in told.stdout else ()


def scan(item: Item, kept: Path, *options: str) -> Scanned:
    """Scan it, with more options of `scan`; the report stays at ``kept``."""
    with tempfile.TemporaryDirectory(prefix="corpus-box-") as name:
        folder = Path(name) / "project"
        item.lay(folder)
        kept.unlink(missing_ok=True)
        words = [str(HUNT), "scan", str(folder), *_depth(), *options, "--format", "json", "-o", str(kept)]
        words += ["-q", "--exit-zero"]
        env = {**os.environ, **gems.environment(Path(name) / "home")} if item.gems else None
        started = time.perf_counter()
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=SECONDS, check=False, env=env
            )
        except subprocess.TimeoutExpired:
            return Scanned(124, SECONDS, 0.0, frozenset(), "error", reasons=(f"no end within {SECONDS} s",))
        seconds = time.perf_counter() - started
    if not kept.exists():
        said = done.stderr.strip().splitlines()[-3:]
        return Scanned(done.returncode, seconds, 0.0, frozenset(), "error", reasons=tuple(said))
    return _read(json.loads(kept.read_text(encoding="utf-8")), done.returncode, seconds)


def _read(report: dict[str, Any], status: int, seconds: float) -> Scanned:
    coverage = report["coverage"]
    inside = sum(p["seconds"] for p in coverage["phases"] if p["name"] not in ("startup", "import", "narrow"))
    findings = [f for f in report["findings"] if f["severity"] != "info" and f["waived"] is None]
    return Scanned(
        status,
        seconds,
        inside,
        box_tree(report),
        report["verdict"],
        tuple(f"{f['kind']} by {(f['blame'] or {}).get('package')}: {f['title']}"[:300] for f in findings),
        tuple(reason[:400] for reason in coverage["reasons"]),
        tuple(note[:300] for note in coverage["notes"]),
    )
