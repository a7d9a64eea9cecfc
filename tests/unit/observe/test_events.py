"""Events of several sections: the tables of one say nothing of the next, and all are counted together."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.enrich.convert import pack
from package_hunter.enrich.kinds import kind_of
from package_hunter.model.observation import Alert, CanaryRead, Observation, Process
from package_hunter.model.table import ProcEntry, RawEvent, Section, StartState
from package_hunter.observe.events import Scope, compile_rules, observe, without_own
from package_hunter.rules import Matcher, load_rules

RULE = "- rule: r\n  desc: d\n  condition: evt.type = close\n  output: '%proc.name %evt.num'\n  priority: NOTICE\n"


def named(name: bytes) -> StartState:
    """The tables of a machine on which process 7 has that name."""
    return StartState((ProcEntry(7, 7, 1, 7, 7, 7, 7, 7, name, name, b"/" + name, (), (), b"/", 0, 0, 0),))


def closed() -> RawEvent:
    return pack(1000, 7, kind_of("syscall_close_x"), [bytes(8), bytes(8)]), 0


@pytest.fixture
def matcher(tmp_path: Path) -> Matcher:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULE)
    return compile_rules(load_rules([rules], builtin=False))


def outputs(seen: Observation) -> list[str]:
    return [said(alert) for alert in seen.alerts]


def said(alert: Alert) -> str:
    """An alert's text without its time and priority."""
    return alert.output.partition(" Notice ")[2]


def test_each_section_begins_with_its_own_tables(matcher: Matcher) -> None:
    seen = observe([Section(named(b"one"), [closed()]), Section(named(b"two"), [closed()])], matcher)
    assert outputs(seen) == ["one 1", "two 2"]
    assert seen.events == 2


def test_nothing_of_a_section_is_known_in_the_next(matcher: Matcher) -> None:
    seen = observe([Section(named(b"one"), [closed()]), Section(StartState(), [closed()])], matcher)
    assert outputs(seen)[0] == "one 1"
    assert "one" not in outputs(seen)[1]


def test_no_section_and_none_with_events(matcher: Matcher) -> None:
    assert observe([], matcher) == observe([Section(named(b"one"), [])], matcher) == Observation()


def test_the_scope_limits_what_is_kept_of_all_sections_together(matcher: Matcher) -> None:
    told: list[str] = []
    sections = [Section(named(name), [closed()]) for name in (b"one", b"two", b"three")]
    seen = observe(sections, matcher, Scope(max_alerts=1), on_alert=lambda alert: told.append(said(alert)))
    assert outputs(seen) == ["one 1"]
    assert seen.cut == {"alerts of r": 2}
    assert told == ["one 1", "two 2", "three 3"]


def test_without_a_driver_every_command_reads_for_itself() -> None:
    processes = tuple(
        Process(key, parent, key, key, "x", "/x", line, "/", 0, 1, None, None)
        for key, parent, line in ((1, None, "init"), (2, 1, "node drive x"), (3, 1, "node a.js"))
    )
    reads = tuple(CanaryRead(1, "c", "/home/dev/.npmrc", key) for key in (1, 2, 3))
    seen = Observation(processes=processes, canary_reads=reads)
    assert [r.process for r in without_own(seen, 1, "").canary_reads] == [2, 3]
    assert [r.process for r in without_own(seen, 1, "node drive ").canary_reads] == [3]
