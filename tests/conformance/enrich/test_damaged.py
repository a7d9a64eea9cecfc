"""Recordings of a real Falco, damaged within their events: all that still makes sense is judged, nothing breaks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from package_hunter.enrich.names import NameTable
from package_hunter.model.event import HEADER, event_table
from package_hunter.model.table import Section
from package_hunter.observe.events import compile_rules, observe
from package_hunter.rules import Matcher, load_rules
from package_hunter.sensor.scap import ScapReader
from tests.support.requires import needs_shared

TYPES = sorted(event_table())
SHARE = 0.3  # of the events are damaged
Damage = Callable[[random.Random, bytearray], bytes]


def _flip(chance: random.Random, raw: bytearray) -> bytes:
    for _ in range(chance.randint(1, 4)):
        raw[chance.randrange(22, len(raw))] = chance.randrange(256)
    return bytes(raw)


def _type(chance: random.Random, raw: bytearray) -> bytes:
    raw[20:22] = chance.choice(TYPES).to_bytes(2, "little")
    return bytes(raw)


def _count(chance: random.Random, raw: bytearray) -> bytes:
    raw[22:26] = chance.randint(0, 40).to_bytes(4, "little")
    return bytes(raw)


def _cut(chance: random.Random, raw: bytearray) -> bytes:
    return bytes(raw[: chance.randrange(len(raw))])


def _nonsense(chance: random.Random, raw: bytearray) -> bytes:
    """An event of any type, well-formed, with random bytes in each parameter."""
    info = event_table()[chance.choice(TYPES)]
    width = 4 if "large_payload" in info.flags else 2
    params = [chance.randbytes(chance.choice((0, 1, 2, 4, 8, 8, 8, 13, 29, 40))) for _ in info.params]
    body = b"".join(len(p).to_bytes(width, "little") for p in params) + b"".join(params)
    ts, tid = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
    return HEADER.pack(ts, tid, HEADER.size + len(body), info.number, len(params)) + body


@pytest.fixture(scope="module")
def every_rule() -> Matcher:
    ruleset = load_rules(sorted(needs_shared("falco-rules").glob("*.yaml")), builtin=True)
    ruleset.rules = [replace(rule, enabled=True) for rule in ruleset.rules]
    return compile_rules(ruleset)


@pytest.mark.parametrize("damage", [_flip, _type, _count, _cut, _nonsense])
@pytest.mark.parametrize("name", ["attack", "npm_install"])
def test_damaged_events(every_rule: Matcher, name: str, damage: Damage) -> None:
    chance = random.Random(f"{name} {damage.__name__}")
    with ScapReader(needs_shared("falco-captures") / f"{name}.scap") as recording:
        start, events = recording.start, [(raw, cpu) for raw, cpu in recording]

    def damaged() -> Iterator[tuple[bytes, int]]:
        for raw, cpu in events:
            yield (damage(chance, bytearray(raw)) if chance.random() < SHARE else raw), cpu

    seen = observe([Section(start, damaged())], every_rule, names=NameTable())
    assert seen.events == len(events)
    assert seen.alerts
    assert damage is _nonsense or any("contradicted themselves" in note for note in seen.notes)
