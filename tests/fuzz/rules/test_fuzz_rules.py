"""Long fuzzing of the rule language: `make fuzz`, or FUZZ_SECONDS=600 pytest tests/fuzz/rules.

Whole rule files are mutated, loaded, compiled and run; nothing but errors made for users may come out, and
the compiled form must agree with the interpreted one.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from package_hunter.errors import HunterError
from package_hunter.rules import builtin_files, compile_matcher
from package_hunter.rules.load import load_texts
from package_hunter.rules.source import DictEvent, DictSource
from tests.support import rule_strategies as world
from tests.unit.rules.test_properties import rules_of

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
PIECES = [
    *(
        "(",
        ")",
        " and ",
        " or ",
        "not ",
        '"',
        "'",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "  ",
        "&a ",
        "*a",
        "%",
    ),
    *(
        " in ",
        " pmatch (",
        "regex ",
        "((a+)+)+$",
        "\\",
        "\x00",
        "\u202e",
        "val(",
        "len(",
        "macro",
        "list",
        "rule",
    ),
    *("append: true\n", "override: {condition: append}\n", "0x", "-1", "99999999999999999999", ","),
]


def mutate(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text) + 1)
        how = rng.random()
        if how < 0.4:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif how < 0.7:
            text = text[:at] + text[at + rng.randint(1, 30) :]
        else:
            start = rng.randrange(len(text) + 1)
            text = text[:at] + text[start : start + rng.randint(1, 200)] + text[at:]
    return text


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_mutated_rule_files() -> None:
    rng = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    whole = builtin_files()[0].read_text()
    entries = whole.split("\n\n")
    event = DictEvent({"evt.type": "openat", "fd.name": "/etc/passwd", "proc.name": "cat"}, 1)
    ends = time.monotonic() + SECONDS / 2
    count = 0
    while time.monotonic() < ends:
        text = mutate("\n\n".join(rng.sample(entries, rng.randint(1, 12))), rng)
        began = time.monotonic()
        try:
            ruleset = load_texts([("fuzz.yaml", text)])
            matcher = compile_matcher(ruleset, DictSource())
            assert matcher.matches(event) == matcher.interpreted(event)
        except HunterError:
            pass
        assert time.monotonic() - began < 20, text
        count += 1
    print(f"{count} mutated files")


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_generated_conditions() -> None:
    ends = time.monotonic() + SECONDS / 2
    rng = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    while time.monotonic() < ends:
        _one_round(rng.getrandbits(32))


def _one_round(number: int) -> None:
    @seed(number)
    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(world.condition, min_size=1, max_size=10), st.lists(world.event, min_size=1, max_size=6))
    def check(conditions: list[str], events: list[dict[str, Any]]) -> None:
        matcher = compile_matcher(rules_of(conditions), DictSource())
        for values in events:
            event = DictEvent(values, 1)
            assert matcher.matches(event) == matcher.interpreted(event)

    check()
