"""Our engine against a real Falco: the same events, the same rules, the same alerts (../shared/falco-captures)."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from package_hunter.model.report_form import falco_json
from package_hunter.rules import check_rules, compile_matcher
from package_hunter.rules.model import RuleSet
from package_hunter.rules.source import DictEvent, DictSource
from tests.support.requires import needs_shared

STABLE = ("falco_rules.yaml",)
ALL = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
HOST = {"container.id": "host", "container.name": "host", "container.type": "host"}
CONTAINER = {
    "container.id": "3ad7b26ded6d",
    "container.name": "web",
    "container.type": "docker",
    "container.image.repository": "docker.io/library/node",
    "container.image.tag": "20",
}
WAYS = {
    "": (STABLE, False, "first", HOST),
    "_all": (ALL, True, "all", HOST),
    "_container": (ALL, True, "all", CONTAINER),
}
# The capture's JSON holds evt.buffer as printable text; this rule looks for bytes in it (docs/falco-differences.md).
NEEDS_RAW_BYTES = {"Java Process Class File Download"}


@cache
def ruleset(files: tuple[str, ...], enable_all: bool) -> RuleSet:
    loaded = check_rules([needs_shared("falco-rules") / f for f in files])
    assert not loaded.errors
    if enable_all:
        for rule in loaded.rules:
            rule.enabled = True
    return loaded


@cache
def events(name: str) -> list[DictEvent]:
    path: Path = needs_shared("falco-captures") / f"{name}.events.jsonl.gz"
    with gzip.open(path, "rt") as file:
        return [DictEvent(json.loads(line)) for line in file]


def expected(name: str, way: str) -> list[dict[str, Any]]:
    path = needs_shared("falco-captures") / f"{name}.alerts{way}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["attack", "npm_install"])
def test_same_alerts_as_falco(name: str, way: str) -> None:
    files, enable_all, matching, constants = WAYS[way]
    matcher = compile_matcher(ruleset(files, enable_all), DictSource(constants), matching)
    ours = [falco_json(matcher.alert(r, e), "devbox") for e in events(name) for r in matcher.matches(e)]
    theirs = [a for a in expected(name, way) if a["rule"] not in NEEDS_RAW_BYTES]

    def key(alert: dict[str, Any]) -> tuple[str, str]:
        return alert["time"], alert["rule"]

    assert sorted(ours, key=key) == sorted(theirs, key=key)


@pytest.mark.parametrize("name", ["attack", "npm_install"])
def test_compiled_equals_interpreted_on_every_event(name: str) -> None:
    matcher = compile_matcher(ruleset(ALL, True), DictSource(CONTAINER))
    different = [e.num for e in events(name) if matcher.matches(e) != matcher.interpreted(e)]
    assert different == []


def test_a_field_is_extracted_at_most_once_an_event() -> None:
    asked: list[tuple[int, str]] = []

    class Counting(DictSource):
        def extractor(self, name: str, arg: str | None) -> Any:
            get = super().extractor(name, arg)

            def counted(event: DictEvent) -> Any:
                asked.append((event.num, f"{name}[{arg}]"))
                return get(event)

            return counted

    matcher = compile_matcher(ruleset(ALL, True), Counting(CONTAINER))
    for event in events("attack"):
        matcher.matches(event)
    assert asked and len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("file", "rules", "macros", "lists"),
    [
        ("falco_rules.yaml", 25, 87, 49),
        ("falco-incubating_rules.yaml", 31, 82, 54),
        ("falco-sandbox_rules.yaml", 37, 183, 60),
        ("falco-deprecated_rules.yaml", 4, 6, 9),
    ],
)
def test_stock_files_load(file: str, rules: int, macros: int, lists: int) -> None:
    loaded = check_rules([needs_shared("falco-rules") / file])
    assert [str(p) for p in loaded.errors] == []
    assert (len(loaded.rules), len(loaded.macros), len(loaded.lists)) == (rules, macros, lists)
