"""Rule evaluation: all stock rules and ours, on both captures amplified; only events with a candidate rule.

Fields are not extracted before: each one is got from the event when a rule asks for it. Budget 200,000 events
a second and core, goal 300,000. `measure` takes any engine and events: it serves other sources of fields too.
"""

from __future__ import annotations

import gzip
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from package_hunter.rules import Engine, builtin_files, check_rules, compile_engine
from package_hunter.rules.source import DictEvent, DictSource

SHARED = Path(__file__).resolve().parents[4] / "shared"
STOCK = (
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "falco-deprecated_rules.yaml",
)
CONTAINER = {"container.id": "0123456789ab", "container.name": "box", "container.type": "oci",
             "container.image.repository": "package-hunter", "container.image.tag": "latest"}  # fmt: skip
ROUNDS = 7
SECONDS = 0.5


def engine() -> Engine:
    """Stock rules and ours, all of them enabled."""
    started = time.perf_counter()
    ruleset = check_rules([*builtin_files(), *(SHARED / "falco-rules" / f for f in STOCK)])
    for rule in ruleset.rules:
        rule.enabled = True
    loaded = time.perf_counter()
    made = compile_engine(ruleset, DictSource(CONTAINER))
    done = time.perf_counter()
    print(f"{len(made.rules)} rules: read in {loaded - started:.2f} s, compiled in {done - loaded:.2f} s")
    return made


def events(name: str) -> list[DictEvent]:
    """The events of a capture."""
    with gzip.open(SHARED / "falco-captures" / f"{name}.events.jsonl.gz", "rt") as file:
        return [DictEvent(json.loads(line)) for line in file]


def measure(match: Callable[[Any], Any], stream: Sequence[Any], seconds: float = SECONDS) -> float:
    """Events a second of process time, the stream repeated for about so many seconds."""
    done, started = 0, time.process_time()
    while True:
        for event in stream:
            match(event)
        done += len(stream)
        spent = time.process_time() - started
        if spent >= seconds:
            return done / spent


def main() -> None:
    """Print the figures."""
    if not SHARED.exists():
        print("needs ../shared (rules and captures), which is not part of this repository")
        return
    made = engine()
    for name in ("attack", "npm_install"):
        stream = [e for e in events(name) if e.type in made.event_types]
        fast = statistics.median(measure(made.matches, stream) for _ in range(ROUNDS))
        slow = measure(made.interpreted, stream[:2000])
        share = f"{fast / 200_000:.2f} x the budget, {fast / slow:.0f} x the interpreted conditions"
        print(f"{name}: {len(stream)} events with candidates, {fast:,.0f} a second and core ({share})")
