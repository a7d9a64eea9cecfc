"""Fields as Python text mean what their functions mean: both on every event of two recordings, by every event
type; and the engine made of them says what walking the conditions says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fields import inline as texts
from package_hunter.enrich.fields.source import Fields
from package_hunter.model.fields import field_catalogue
from package_hunter.rules import builtin_files, check_rules, compile_matcher
from package_hunter.sensor.scap import ScapReader
from tests.support.requires import needs_shared

FIELDS = [
    *(
        (name, None)
        for name in texts._MAKERS
        if name not in ("evt.arg", "proc.aname", "proc.aexepath", "proc.acmdline", "proc.aargs")
    ),
    *(("proc.aname", str(n)) for n in (-1, 0, 1, 2, 5, 9)),
    *((name, "3") for name in ("proc.aexepath", "proc.acmdline", "proc.aargs")),
    ("proc.aargs", "0"),
    *(
        ("evt.arg", name)
        for name in ("flags", "mode", "name", "fd", "size", "domain", "type", "request", "0")
    ),
]
STOCK = (
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "falco-deprecated_rules.yaml",
)


def replay(name: str) -> Iterator[Ev]:
    with ScapReader(needs_shared("falco-captures") / f"{name}.scap") as recording:
        feed = Enricher(recording.start).feed
        for raw, cpu in recording:
            ev = feed(raw, cpu)
            if ev is not None:
                yield ev


@cache
def text_of(name: str, arg: str | None, number: int) -> tuple[str, dict[str, Any]] | None:
    made = texts.inline(name, arg, number)
    if made is None:
        return None
    names = dict(made.names)
    parts = {}
    for letter, need in zip("abc", made.needs, strict=False):
        inner = text_of(*need, number)
        assert inner is not None, need
        parts[letter] = parts[letter.upper()] = f"({inner[0]})"
        names |= inner[1]
    return made.code.format(**parts), names


@cache
def function_of(name: str, arg: str | None, number: int) -> Callable[[Ev], Any] | None:
    text = text_of(name, arg, number)
    return None if text is None else eval(f"lambda ev: {text[0]}", dict(text[1]))


@pytest.mark.parametrize("capture", ["attack", "npm_install"])
def test_texts_mean_what_the_functions_mean(capture: str) -> None:
    source = Fields()
    getters = [(name, arg, source.extractor(name, arg)) for name, arg in FIELDS if not name.startswith("#")]
    compared = 0
    for ev in replay(capture):
        for name, arg, get in getters:
            text = function_of(name, arg, ev.type)
            if text is not None:
                compared += 1
                assert text(ev) == get(ev), (name, arg, ev)
    assert compared > 100_000


@pytest.mark.parametrize("capture", ["attack", "npm_install"])
def test_the_compiled_rules_say_what_the_conditions_say(capture: str) -> None:
    ruleset = check_rules([*builtin_files(), *(needs_shared("falco-rules") / f for f in STOCK)])
    for rule in ruleset.rules:
        rule.enabled = True
    matcher = compile_matcher(ruleset, Fields({"container.id": "0123456789ab", "container.type": "oci"}))
    different = [ev.num for ev in replay(capture) if matcher.matches(ev) != matcher.interpreted(ev)]
    assert different == []


@pytest.mark.parametrize("capture", ["attack", "npm_install"])
def test_what_a_type_lacks_is_absent_on_every_event(capture: str) -> None:
    source = Fields()
    names = [
        (name, None)
        for name, spec in field_catalogue().items()
        if name.startswith("fd.") and spec.arg == "none"
    ]
    names += [("evt.arg", a) for a in ("flags", "name", "path", "fd", "res", "oldpath", "domain")]
    names += [("evt.rawarg", a) for a in ("flags", "res", "size")]
    getters = [(name, arg, source.extractor(name, arg)) for name, arg in names]
    told = 0
    for ev in replay(capture):
        for name, arg, get in getters:
            if texts.absent(name, arg, ev.type):
                told += 1
                assert get(ev) is None, (name, arg, ev)
    assert told > 30_000


def test_a_type_whose_thread_may_be_unknown_has_no_text() -> None:
    assert texts.inline("proc.name", None, texts.kind_of("procexit_1_e").number) is None
    assert texts.inline("proc.name", None, texts.kind_of("syscall_clone_20_x").number) is None
