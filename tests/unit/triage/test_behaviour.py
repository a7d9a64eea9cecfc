"""What was looked at holds for that and for less; what is more is told."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.scales import SEVERITIES
from package_hunter.triage.behaviour import Behaviour, grown
from tests.support import judge_samples as samples

_names = st.lists(st.text(max_size=8), max_size=4, unique=True).map(lambda many: tuple(sorted(many)))
BEHAVIOURS = st.builds(
    Behaviour,
    forms=_names,
    severity=st.sampled_from(SEVERITIES),
    proof=st.booleans(),
    attack=_names,
    subjects=_names,
    more=st.booleans(),
)


@given(BEHAVIOURS, BEHAVIOURS)
def test_both_together_hold_for_each(one: Behaviour, other: Behaviour) -> None:
    both = one.with_(other)
    assert grown(both, one) == grown(both, other) == ()
    assert bool(grown(one, both)) is bool(grown(one, other))
    assert Behaviour.from_json(both.to_json()) == both
    assert (one.digest == other.digest) is (one == other)


def test_what_differs_from_run_to_run_is_no_change() -> None:
    first = replace(samples.FINDING, subjects=("/tmp/tmp.cdgUnX/a", "/home/dev/.cache/x-1.2.3", "10.0.0.1"))
    again = replace(samples.FINDING, subjects=("10.0.0.1", "/tmp/tmp.AbCdeF/a", "/home/dev/.cache/x-1.2.4"))
    assert Behaviour.of(first) == Behaviour.of(again)
    other = replace(samples.FINDING, subjects=("/tmp/tmp.cdgUnX/b", "10.0.0.1"))
    assert grown(Behaviour.of(first), Behaviour.of(other))


def test_subjects_beyond_the_limit_are_one_change_and_not_many() -> None:
    letters = [chr(97 + n) for n in range(26)]
    many = tuple(f"{a}{b}.example" for a in letters for b in letters)
    seen = Behaviour.of(replace(samples.FINDING, subjects=many))
    assert seen.more
    assert grown(seen, seen) == ()
    few = Behaviour.of(replace(samples.FINDING, subjects=many[:10]))
    assert any("more things" in sentence for sentence in grown(few, seen))
