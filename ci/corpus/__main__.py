"""`make corpus`: projects and packages that are not ours, installed outside and in the box, and compared.

Results are lines of JSON below --cache, so that a run that was stopped goes on where it was. Packages of the lists
are installed some at a time; where anything is off, the half of them, down to the one that it is.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from ci.corpus import bare, box, rows, table, trees
from ci.corpus.items import CI, PROJECTS, Item, corpus
from ci.corpus.rows import Row


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CI, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def examine(item: Item, cache: Path) -> Row:
    """Install it outside, then in the box."""
    outside = bare.install(item, cache / "tools")
    if item.group == "project" and outside.status == 0:
        trees.keep(cache / "trees" / f"{item.name}.txt", outside.tree)
    if outside.status and len(item.packages) > 1:  # no need to scan what is taken apart anyway
        inside = box.Scanned(0, 0.0, 0.0, frozenset(), "taken apart")
    else:
        report = cache / "reports" / (re.sub(r"[^\w.@-]+", "_", item.name)[:150] + ".json")
        report.parent.mkdir(exist_ok=True)
        inside = box.scan(item, report)
    own = trees.own_names(PROJECTS / item.name) if item.group == "project" else {"corpus-app"}
    missing, extra = trees.differences(outside.tree, inside.tree, own)
    return Row(
        item.name, item.group, item.manager, item.kind, item.packages, item.scripts, item.expect, _commit(),
        outside.status, round(outside.seconds, 2), outside.words, len(outside.tree),
        inside.verdict, round(inside.seconds, 2), round(inside.inside, 2), len(inside.tree),
        tuple(missing[:40]), tuple(extra[:40]), inside.findings, inside.reasons, inside.notes,
    )  # fmt: skip


def wholly(item: Item, cache: Path, known: dict[str, Row]) -> list[Row]:
    """The rows of an item: one, or those of its halves where something is off. What is not known yet is examined."""
    if item.name not in known:
        row = examine(item, cache)
        rows.add(cache / "results.jsonl", row)
        known[item.name] = row
        say(_line(row))
    if _apart(item, known[item.name]):
        return [row for half in item.halves() for row in wholly(half, cache, known)]
    return [known[item.name]]


def what_is_known(item: Item, known: dict[str, Row]) -> list[Row]:
    """The rows of an item as far as they are known."""
    row = known.get(item.name)
    if row is None:
        return []
    if _apart(item, row):
        return [row for half in item.halves() for row in what_is_known(half, known)]
    return [row]


def _apart(item: Item, row: Row) -> bool:
    return len(item.packages) > 1 and (row.bare != 0 or row.miss != "")


def _line(row: Row) -> str:
    same = "same tree" if row.same else f"{len(row.missing)} missing, {len(row.extra)} more"
    told = f"{row.name}: bare {row.bare} in {row.bare_seconds:.0f} s ({row.count}), {row.verdict} in "
    return (
        told + f"{row.box_seconds:.0f} s ({row.box_count}), {same}{', MISS: ' + row.miss if row.miss else ''}"
    )


def wanted(options: argparse.Namespace) -> list[Item]:
    """What this run is about."""
    items = [i for i in corpus() if not options.only or any(fnmatch(i.name, p) for p in options.only)]
    if options.sample:
        items = [i for i in items if i.sample][: options.sample]
    return items


def main() -> int:
    """Run it; exit code 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/package-hunter-corpus"))
    parser.add_argument(
        "--only", action="append", metavar="PATTERN", help="only items whose name fits (*, ?)"
    )
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="N of the items that are marked as sample"
    )
    parser.add_argument("--retry-misses", action="store_true", help="once more what did not come out right")
    parser.add_argument("--table", action="store_true", help="only write the table of what is known")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    os.nice(5)
    known = rows.read(options.cache / "results.jsonl")
    if options.retry_misses:
        known = {name: row for name, row in known.items() if not row.miss}
    asked = wanted(options)
    done = [] if options.table else [row for item in asked for row in wholly(item, options.cache, known)]
    every = [row for item in corpus() for row in what_is_known(item, known)]
    table.write(CI.parent / "docs/evaluation.md", every, rows.judged())
    missed = [row for row in (every if options.table else done) if row.miss]
    for row in missed:
        say(f"missed: {row.name}: {row.miss}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
