"""Every field of every event of the captures, ours against what a real Falco said.

``python -m tests.support.falco_compare`` writes the table docs/field-conformance.md.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.sensor.scap import ScapReader

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ("attack", "npm_install")
WHY = {
    "proc.exe_ino.ctime_duration_pidns_start": "Falco shows memory that was never written for the first "
    "processes of a recording (1 here), and their children inherit it; ours is absent.",
    "evt.buffer": "on ptrace, Falco prints what lay behind the data; ours are the data as recorded.",
    "evt.rawarg.fd": "the expectation holds text on five events, numbers on all others; the same numbers.",
}
_DOTS = {c: "." for c in range(256) if not 32 <= c < 127}


@dataclass
class Row:
    compared: int = 0
    different: int = 0
    examples: list[tuple[str, int, Any, Any]] = field(default_factory=list)


def extractor(key: str) -> Any:
    source = Fields()
    name, bracket, rest = key.partition("[")
    if bracket:
        return source.extractor(name, rest.rstrip("]"))
    for prefix in ("evt.arg.", "evt.rawarg.", "thread.cgroup."):
        if key.startswith(prefix):
            return source.extractor(prefix[:-1], key[len(prefix) :])
    return source.extractor(key, None)


def shown(key: str, value: Any) -> Any:
    """Our value in the form of the expectations."""
    if isinstance(value, bytes):
        if key.startswith("fd."):
            return str(ipaddress.ip_address(value))
        return value.decode("latin-1").translate(_DOTS)
    if isinstance(value, tuple):
        return sorted(value)
    if key in ("fd.dev", "evt.rawarg.flags") and isinstance(value, int):
        return f"{value:X}"
    return value


def compare(folder: Path) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name in CAPTURES:
        with gzip.open(folder / f"{name}.events.jsonl.gz") as lines:
            expected = [json.loads(line) for line in lines]
        getters = {key: extractor(key) for key in sorted(set().union(*expected))}
        with ScapReader(folder / f"{name}.scap") as recording:
            enricher = Enricher(recording.start)
            events = [(raw, cpu) for raw, cpu in recording]
            assert len(events) == len(expected)
            for (raw, cpu), wanted in zip(events, expected, strict=True):
                ev = enricher.feed(raw, cpu)
                assert ev is not None
                for key, get in getters.items():
                    value = ev.ts if key == "evt.time.iso8601" else shown(key, get(ev))
                    want = sorted(wanted[key]) if isinstance(wanted.get(key), list) else wanted.get(key)
                    if value is None and want is None:
                        continue
                    row = rows.setdefault(key, Row())
                    row.compared += 1
                    if value != want:
                        row.different += 1
                        if len(row.examples) < 3:
                            row.examples.append((name, ev.num, value, want))
    return rows


def table(rows: dict[str, Row]) -> str:
    total, different = sum(r.compared for r in rows.values()), sum(r.different for r in rows.values())
    lines = [
        "# Fields against a real Falco",
        "",
        "Made by `python -m tests.support.falco_compare` from two recordings of a real Falco",
        "0.43.1 and what it said of each field of each event. Compared: events on which either side",
        "has a value.",
        "",
        f"{len(rows)} fields, {total} values compared, {total - different} equal.",
        "",
        "| field | compared | equal | different | why |",
        "|---|---|---|---|---|",
    ]
    for key, row in sorted(rows.items()):
        why = WHY.get(key, "") if row.different else ""
        lines.append(f"| {key} | {row.compared} | {row.compared - row.different} | {row.different} | {why} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    folder = ROOT.parent / "shared" / "falco-captures"
    rows = compare(folder)
    (ROOT / "docs" / "field-conformance.md").write_text(table(rows), encoding="utf-8")
    for key, row in rows.items():
        if row.different:
            sys.stdout.write(f"{key}: {row.different} of {row.compared}: {row.examples[0]}\n")


if __name__ == "__main__":
    main()
