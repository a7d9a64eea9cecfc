"""Rule evaluation: all stock rules and ours, on both captures amplified; only events with a candidate rule.

Fields are not extracted before: each one is got from the event when a rule asks for it. Budget 200,000 events
a second and core, goal 300,000. Recorded events: what matching adds to reading and enriching the recording (medians
of alternating runs). Events of JSON: the same events as objects of 100 fields each, where memory is the limit.
"""

from __future__ import annotations

import gzip
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.model.fields import FieldSource
from package_hunter.rules import Matcher, builtin_files, check_rules, compile_matcher
from package_hunter.rules.source import DictEvent, DictSource
from package_hunter.sensor.scap import ScapReader
from tests.support.requires import SHARED, needs_shared

STOCK = (
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "falco-deprecated_rules.yaml",
)
CONTAINER = {"container.id": "0123456789ab", "container.name": "box", "container.type": "oci",
             "container.image.repository": "package-hunter", "container.image.tag": "latest"}  # fmt: skip
ROUNDS = 7
AGAIN = 5
BUDGET = 200_000
SECONDS = 0.5


def engine(source: FieldSource) -> Matcher:
    """Stock rules and ours, all of them enabled."""
    started = time.perf_counter()
    ruleset = check_rules([*builtin_files(), *(SHARED / "falco-rules" / f for f in STOCK)])
    for rule in ruleset.rules:
        rule.enabled = True
    loaded = time.perf_counter()
    made = compile_matcher(ruleset, source)
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


def _pass(
    name: str, match: Callable[[Any], Any] | None, types: frozenset[int], again: int = AGAIN
) -> tuple[float, int]:
    """CPU seconds of one run over a recording with enrichment, and how many events had candidates."""
    with ScapReader(SHARED / "falco-captures" / f"{name}.scap") as recording:
        start, raw = recording.start, list(recording)
    spent, candidates = 0.0, 0
    for _ in range(again):
        feed = Enricher(start).feed
        began = time.process_time()
        for data, cpu in raw:
            event = feed(data, cpu)
            if event is not None and event.type in types:
                candidates += 1
                if match is not None:
                    match(event)
        spent += time.process_time() - began
    return spent, candidates


def real(name: str, made: Matcher) -> float:
    """Events a second with the real source of fields: what matching adds to enrichment. Also prints what the
    first time costs (patterns compiled, nothing remembered) and what decoding and enriching an event costs."""
    extra = []
    candidates, spent = _pass(name, None, made.event_types)[1], 0.0
    cold, _ = _pass(name, made.matches, made.event_types, 1)
    for _ in range(ROUNDS):
        without, _ = _pass(name, None, made.event_types)
        with_rules, candidates = _pass(name, made.matches, made.event_types)
        extra.append(with_rules - without)
        spent += without / ROUNDS
    whole = _events_of(name)
    print(f"  decode and enrich  {spent / AGAIN / whole * 1e6:>6.1f} us an event of {whole}")
    first = (cold - spent / AGAIN) * AGAIN / candidates
    print(f"  the first time     {1 / first:>8,.0f} recorded events (patterns compiled, nothing remembered)")
    return candidates / statistics.median(extra)


def _events_of(name: str) -> int:
    with ScapReader(SHARED / "falco-captures" / f"{name}.scap") as recording:
        return sum(1 for _ in recording)


def main() -> None:
    """Print the figures."""
    needs_shared()
    made, judged = engine(DictSource(CONTAINER)), engine(Fields(CONTAINER))
    for name in ("attack", "npm_install"):
        stream = [e for e in events(name) if e.type in made.event_types]
        fast = statistics.median(measure(made.matches, stream) for _ in range(ROUNDS))
        slow = measure(made.interpreted, stream[:2000])
        print(f"{name}: {len(stream)} events with candidates; a second and core")
        live = real(name, judged)
        print(f"  recorded events  {live:>10,.0f} ({live / BUDGET:.2f} x the budget)")
        print(f"  events of JSON   {fast:>10,.0f} ({fast / BUDGET:.2f} x the budget)")
        print(f"  interpreted      {slow:>10,.0f} (compiled is {fast / slow:.0f} x as fast)")
