"""`make faults`: faults of every kind while scans run, counted; the table goes into docs/faults.md (and .json).

A row that was made stands (in `.faults/rows`) until it is made again; `--only NAME` makes those whose name begins so,
`--resume` only those that are missing at this commit, `--quick` few scans a row. Needs root, the probe and the image.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from ci.faults import plan, postgres
from ci.faults.row import Row, as_json, from_json
from ci.faults.scenario import ROOT, commit
from ci.faults.table import markdown, put


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Exit code 1 where a row is not as it must be."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], help="rows whose name begins so; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    parser.add_argument("--quick", action="store_true", help="few scans a row")
    parser.add_argument("--resume", action="store_true", help="keep rows that were made at this commit")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the usual scans a row")
    parser.add_argument("--work", type=Path, default=ROOT / ".faults", help="where rows and logs are kept")
    parser.add_argument("--document", type=Path, default=ROOT / "docs/faults.md")
    options = parser.parse_args()
    wanted = [p for p in plan.ROWS if not options.only or p.name.startswith(tuple(options.only))]
    if options.list:
        print("\n".join(f"{one.name:32} {one.what} ({one.database})" for one in wanted))
        return 0
    if os.geteuid() != 0:
        say("Faults need root: they make sandboxes, namespaces and mounts.")
        return 2
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)  # so that what was started is ended
    kept = options.work / "rows"
    kept.mkdir(parents=True, exist_ok=True)
    scale = plan.QUICK if options.quick else options.scale
    made = [_made(one, kept, scale, options) for one in wanted]
    every = [row for one in plan.ROWS if (row := _read(kept / f"{one.name}.json")) is not None]
    if not options.quick:
        _write(options.document, every)
    say(markdown([row for row in made if row is not None], machine()))
    return 0 if all(row is not None and row.clean for row in made) else 1


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _made(one: plan.Planned, kept: Path, scale: float, options: argparse.Namespace) -> Row | None:
    place = kept / f"{one.name}.json"
    old = _read(place)
    if options.resume and old is not None and old.commit == commit():
        return old
    say(f"{one.name}: {one.what} ({one.database})")
    try:
        row = one.run(scale, options.seed, options.work / "logs")
    except plan.Impossible as reason:
        say(f"  left out: {reason}")
        return None
    except Exception:
        say(traceback.format_exc())
        return None
    place.write_text(json.dumps(as_json(row), indent=1), encoding="utf-8")
    say(f"  {'as it must be' if row.clean else 'NOT AS IT MUST BE'}: {json.dumps(as_json(row))}")
    return row


def _read(place: Path) -> Row | None:
    return from_json(json.loads(place.read_text(encoding="utf-8"))) if place.exists() else None


def _write(document: Path, rows: list[Row]) -> None:
    put(document, markdown(rows, machine()))
    data = {"machine": machine(), "rows": [as_json(row) for row in rows]}
    document.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """What the rows were made on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, {postgres.version()}"


if __name__ == "__main__":
    sys.exit(main())
