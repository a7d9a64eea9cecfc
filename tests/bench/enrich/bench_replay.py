"""How fast recordings are judged: events a second and core, both captures amplified, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.event import Ev
from package_hunter.model.table import Section, StartState
from package_hunter.observe.events import compile_rules, observe
from package_hunter.rules import load_rules
from package_hunter.sensor.scap import ScapReader
from tests.support.requires import needs_shared

TIMES = 20
STOCK = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")


def _best(run: Callable[[], int]) -> float:
    best = 0.0
    for _ in range(5):
        started = time.process_time()
        count = run()
        best = max(best, count / (time.process_time() - started))
    return best


def main() -> None:
    captures, rules = needs_shared("falco-captures"), needs_shared("falco-rules")
    stock = compile_rules(load_rules([rules / name for name in STOCK], builtin=True))
    for name in ("attack", "npm_install"):
        path = captures / f"{name}.scap"
        with ScapReader(path) as recording:
            start, events = recording.start, [(raw, cpu) for raw, cpu in recording]
        print(f"{name}: {len(events)} events x {TIMES}")
        print(f"  decode            {_best(lambda e=events: _decode(e)):>10,.0f} events/s")
        print(f"  decode + enrich   {_best(lambda e=events, s=start: _enrich(e, s)):>10,.0f} events/s")
        judged = _best(lambda e=events, s=start: observe(_again(e, s), stock).events)
        print(f"  replay, all rules {judged:>10,.0f} events/s")
        print(f"  from the file     {_best(lambda p=path: _from_file(p, stock)):>10,.0f} events/s")


def _again(events: list[tuple[bytes, int]], start: StartState) -> Iterator[Section]:
    for _ in range(TIMES):
        yield Section(start, events)


def _decode(events: list[tuple[bytes, int]]) -> int:
    for _ in range(TIMES):
        for raw, cpu in events:
            Ev(raw, cpu)
    return TIMES * len(events)


def _enrich(events: list[tuple[bytes, int]], start: StartState) -> int:
    for _ in range(TIMES):
        feed = Enricher(start).feed
        for raw, cpu in events:
            feed(raw, cpu)
    return TIMES * len(events)


def _from_file(path: object, matcher: object) -> int:
    with ScapReader(path) as recording:  # type: ignore[arg-type]
        return observe(recording.sections(), matcher).events  # type: ignore[arg-type]
