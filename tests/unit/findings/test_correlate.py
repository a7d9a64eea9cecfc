"""Combinations: order, time, scope, thresholds, and bounded memory."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings.catalog import Class, combinations
from package_hunter.findings.correlate import MAX_SCOPES, correlate
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Blame
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0

# the package's name of the same spelling is the function
correlation: Any = importlib.import_module("package_hunter.findings.correlate")


def signal(kind: str, at: float, blame: Blame | None = samples.BLAME, **facts: object) -> Signal:
    return Signal(T0 + int(at * SECOND), kind, Class.SUSPICIOUS, kind, f"{kind} at {at}", blame, facts=facts)


def sent(at: float, size: int = 100, opaque: bool = True, blame: Blame | None = samples.BLAME) -> Signal:
    return signal("data_sent", at, blame, bytes=size, opaque=opaque)


def names(*signals: Signal) -> list[str]:
    ordered = sorted(signals, key=lambda s: s.time_ns)
    return [str(s.data["combination"]) for s in correlate(ordered)]


READ = signal("credential_access", 1)


def test_order_time_and_size_count() -> None:
    assert names(READ, sent(2)) == ["secrets_then_data"]
    assert names(READ, sent(0)) == []
    assert names(READ, sent(302)) == []
    assert names(READ, sent(2, size=47)) == []
    assert names(READ, sent(2, opaque=False)) == []


def test_latest_read_counts_for_the_time() -> None:
    assert names(READ, signal("credential_access", 290), sent(310)) == ["secrets_then_data"]


def test_scope_keeps_scripts_and_packages_apart() -> None:
    other_script = replace(samples.BLAME, script="postinstall")
    assert names(READ, sent(2, blame=other_script)) == []
    assert names(READ, sent(2, blame=None)) == []


def test_package_scope_spans_scripts_and_phases() -> None:
    later = replace(samples.BLAME, phase="import", script="require")
    detached = signal("detached", 1)
    assert names(detached, signal("remote_code_execution", 5, later)) == ["unchecked_program_detached"]


def test_secrets_and_an_unchecked_program_are_of_the_same_script() -> None:
    later = replace(samples.BLAME, phase="import", script="require")
    assert names(READ, signal("remote_code_execution", 5)) == ["unchecked_program_and_secrets"]
    assert names(READ, signal("remote_code_execution", 5, later)) == []


def test_a_step_that_waits_for_another_counts_only_after_it() -> None:
    secret = signal("credential_access", 10, content=True, settings=False)
    unit = signal("persistence", 1, starts=True)
    plain = sent(20, opaque=False)
    assert names(unit, secret, plain) == ["theft_and_persistence"]
    assert names(unit, secret, sent(5, opaque=False)) == []
    again = signal("credential_access", 30, content=True, settings=False)
    assert names(secret, plain, again, signal("persistence", 40)) == ["theft_and_persistence"]


def test_what_is_known_to_be_no_step_is_none_and_what_is_unknown_excuses_nobody() -> None:
    listed, settings = (signal("credential_access", 1, content=c, settings=True) for c in (False, True))
    assert names(listed, sent(2)) == []
    assert names(settings, sent(2)) == ["secrets_then_data"]
    assert names(settings, signal("remote_code_execution", 5)) == []
    line = signal("persistence", 5, starts=False)
    assert names(line, signal("remote_code_execution", 6)) == []
    assert names(signal("persistence", 5), signal("remote_code_execution", 6)) == [
        "unchecked_program_that_stays"
    ]


def test_of_what_nobody_is_known_to_have_done_each_tree_of_processes_is_apart() -> None:
    whole = replace(samples.BLAME, package=None, script="pip install", confidence="tree")
    one, other = (replace(sent(2, blame=whole), root=root) for root in (7, 8))
    read = replace(signal("credential_access", 1, whole), root=7)
    assert names(read, one) == ["secrets_then_data"]
    assert names(read, other) == []


def test_unordered_combination_takes_any_order() -> None:
    run = signal("remote_code_execution", 5)
    detached = signal("detached", 1)
    assert names(run, detached) == ["unchecked_program_detached"]


def test_one_signal_is_not_two_steps() -> None:
    bare = signal("remote_code_execution", 5, bare_address=True)
    assert names(bare) == []


def test_each_scope_reports_a_combination_once() -> None:
    assert names(READ, sent(2), sent(3), sent(4), READ, sent(6)) == ["secrets_then_data"]


def test_steps_are_told_in_order() -> None:
    (found,) = correlate([READ, sent(2)])
    assert found.data["steps"] == ["credential_access at 1", "data_sent at 2"]
    assert found.explain[1].startswith("Step 1: credential_access")


def test_memory_is_bounded() -> None:
    blames = [replace(samples.BLAME, script=f"s{i}") for i in range(MAX_SCOPES + 50)]
    reads = [signal("credential_access", 1, blame) for blame in blames]
    assert list(correlate(reads)) == []
    last = sent(2, blame=blames[-1])
    assert list(correlate([*reads, last])) == [], "beyond the limit nothing is kept"
    assert len(list(correlate([*reads, sent(2, blame=blames[0])]))) == 1


@given(
    st.lists(st.tuples(st.sampled_from(["credential_access", "data_sent"]), st.integers(0, 60)), max_size=200)
)
def test_what_is_kept_never_exceeds_scopes_times_steps(drawn: list[tuple[str, int]]) -> None:
    kept: list[Any] = []

    class Counted(correlation._Partial):  # type: ignore[misc]
        def __init__(self, steps: int) -> None:
            super().__init__(steps)
            kept.append(self)

    signals = [
        signal(
            kind, at, replace(samples.BLAME, script=f"s{scope}", package=f"pkg:npm/p{scope}@1.0.0"), bytes=99
        )
        for at, (kind, scope) in enumerate(drawn)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correlation, "MAX_SCOPES", 7)
        patch.setattr(correlation, "_Partial", Counted)
        list(correlate(signals))
    assert len(kept) <= 7 * len(combinations())
    most = max(len(c.steps) for c in combinations())
    assert all(len(way) <= most for partial in kept for way in partial.ways if way)


KINDS = sorted({kind for c in combinations() for step in c.steps for kind in step.kinds})


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 400), st.booleans()), max_size=30))
def test_what_is_found_really_has_its_steps_within_the_time(drawn: list[tuple[str, int, bool]]) -> None:
    signals = [signal(k, at, bytes=100, opaque=flag, hidden=flag, bare_address=flag) for k, at, flag in drawn]
    signals.sort(key=lambda s: s.time_ns)
    by_name = {c.name: c for c in combinations()}
    for found in correlate(signals):
        combination = by_name[str(found.data["combination"])]
        steps = [next(s for s in signals if s.what == what) for what in found.data["steps"]]
        assert len(steps) == len(combination.steps)
        assert steps[-1].time_ns - steps[0].time_ns <= combination.within * SECOND
        if combination.ordered:
            assert all(s.kind in step.kinds for s, step in zip(steps, combination.steps, strict=True))
        assert {k for step in combination.steps for k in step.kinds} >= {s.kind for s in steps}


def test_what_keepers_were_asked_is_not_said_to_be_read() -> None:
    def title(*taken: Signal) -> str:
        ordered = sorted((*taken, sent(9)), key=lambda s: s.time_ns)
        return next(s.what for s in correlate(ordered) if s.data["combination"] == "secrets_then_data")

    file = replace(signal("credential_access", 1, content=True), subject="/home/dev/.npmrc")
    keeper = replace(signal("credential_access", 2, content=True, keeper=True), subject="/usr/bin/op read x")
    assert title(file).startswith("It read /home/dev/.npmrc, and the same script then sent")
    assert title(keeper).startswith("It asked for secrets by /usr/bin/op read x, and the same script")
    assert title(file, keeper).startswith(
        "It read /home/dev/.npmrc and asked for secrets by /usr/bin/op read x,"
    )
