"""What the probe may leave out, and what an engine asks for."""

from __future__ import annotations

import pytest

from package_hunter.model.event import event_numbers
from package_hunter.rules import compile_engine
from package_hunter.rules.load import load_texts
from package_hunter.rules.source import DictSource

RULE = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: {}\n"


@pytest.mark.parametrize(
    ("condition", "prefixes"),
    [
        ("evt.type = openat and fd.name startswith /etc/", ("/etc/",)),
        ("evt.type = openat and (fd.name = /etc/shadow or fd.name pmatch (/root))", ("/etc/shadow", "/root")),
        ("evt.type = openat and evt.is_open_write = true", ()),
        ("evt.type = openat and proc.name = cat", None),
        ("evt.type = openat and not fd.name startswith /etc/", None),
        ("evt.type = execve", ()),
    ],
)
def test_open_prefixes(condition: str, prefixes: tuple[str, ...] | None) -> None:
    engine = compile_engine(load_texts([("f", RULE.format(condition))]), DictSource())
    assert engine.open_prefixes == prefixes


def test_event_types_are_those_that_can_match() -> None:
    engine = compile_engine(load_texts([("f", RULE.format("evt.type in (execve, execveat)"))]), DictSource())
    assert event_numbers()["syscall_execve_19_x"] in engine.event_types
    assert event_numbers()["syscall_openat_2_x"] not in engine.event_types


def test_constants_decide_beforehand() -> None:
    rules = load_texts([("f", RULE.format("evt.type = openat and container.id != host"))])
    assert compile_engine(rules, DictSource({"container.id": "host"})).event_types == frozenset()
    assert compile_engine(rules, DictSource({"container.id": "abc"})).event_types
