"""A scan's steps as spans."""

from __future__ import annotations

import uuid

import pytest

from package_hunter.watching.steps import Accepted, Steps, Try
from package_hunter.watching.stopwatch import Lap
from package_hunter.watching.traces import MS, Span, Told, spans

SCAN = uuid.UUID("12345678-1234-4234-8234-123456789abc")
T0 = 1_790_000_000_000
TOLD = Told(SCAN, T0, T0 + 9_000, "finished", "malicious", "block", "npm", "standard")
NS = T0 * MS
LAPS = (Lap("fetch", NS + 3, NS + 4), Lap("install", NS + 4, NS + 6, failed=True))
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _by_name(found: list[Span]) -> dict[str, Span]:
    return {span.name: span for span in found}


def test_each_step_hangs_on_its_try_and_each_try_on_the_scan() -> None:
    steps = Steps(Accepted(NS, NS + 1), (Try(1, NS + 2, NS + 7, False, LAPS),), NS + 8)
    found = list(spans(TOLD, steps))
    assert [span.name for span in found] == ["scan", "accept", "wait", "try", "fetch", "install"]
    named = _by_name(found)
    assert {span.trace for span in found} == {SCAN.int}
    assert named["scan"].parent == 0
    assert {named[name].parent for name in ("accept", "wait", "try")} == {named["scan"].id}
    assert {named[name].parent for name in ("fetch", "install")} == {named["try"].id}
    assert named["wait"].begin == NS + 1
    assert named["wait"].end == NS + 2
    assert named["scan"].end == max(NS + 8, (T0 + 9_000) * MS)
    assert [span.name for span in found if span.failed] == ["install"]
    assert len({span.id for span in found}) == len(found)


def test_a_submitter_who_is_in_a_trace_has_the_scan_in_it() -> None:
    found = list(spans(TOLD, Steps(Accepted(NS, NS + 1, CALLER))))
    assert {f"{span.trace:032x}" for span in found} == {"0af7651916cd43dd8448eb211c80319c"}
    assert f"{found[0].parent:016x}" == "b7ad6b7169203331"


def test_tries_follow_one_another_with_their_waits() -> None:
    tries = (Try(1, NS + 5, NS + 6, True, ()), Try(2, NS + 9, NS + 12, False, LAPS))
    found = list(spans(TOLD, Steps(None, tries)))
    assert [(s.name, s.begin - NS, s.end - NS) for s in found if s.name in ("wait", "try")] == [
        ("wait", 0, 5),
        ("try", 5, 6),
        ("wait", 6, 9),
        ("try", 9, 12),
    ]
    assert len({span.id for span in found}) == len(found)


def test_told_twice_it_is_the_same_trace() -> None:
    steps = Steps(None, (Try(1, NS, NS + 7, False, LAPS),))
    assert list(spans(TOLD, steps)) == list(spans(TOLD, steps))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_scan_that_nobody_ran_has_a_trace_too(status: str) -> None:
    told = Told(SCAN, T0, T0 + 5, status)
    found = list(spans(told, Steps()))
    assert [(span.name, span.failed) for span in found] == [("scan", status == "failed")]
    assert found[0].attributes == {"hunter.scan.id": str(SCAN), "hunter.scan.status": status}


def test_attributes_are_bounded() -> None:
    told = Told(SCAN, T0, T0, "finished", manager="n" * 10_000)
    assert len(str(next(spans(told, Steps())).attributes["hunter.scan.manager"])) == 64
