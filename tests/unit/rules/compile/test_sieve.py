"""A sieve says of every text what the tests themselves say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.model.fields import FieldSpec, FieldType
from package_hunter.rules.ast import Check, FieldRef, Literal
from package_hunter.rules.compile.sieve import PERHAPS, Sieve, fits
from package_hunter.rules.operators import make_tests

NAME = FieldRef("fd.name")
SPEC = FieldSpec("fd.name", FieldType.PATH, "")
PIECES = ["/", "//", "etc", "a", "é", "ü", "K", "k", "\u212a", "\n", " ", ".", "*", "\\", "[x]", "\0"]
HALF = "\ud800"  # JSON can say it
text = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
pattern = st.sampled_from([".*/etc", "a+b", "(a|e)tc", "/etc/[^/]+", "x?a.*"])


def check(op: str, texts: list[str]) -> Check:
    return Check(NAME, op, tuple(Literal(t, True) for t in texts), test=make_tests(SPEC, op, texts).any_value)


checks = st.one_of(
    st.builds(check, st.sampled_from(["startswith", "endswith", "contains", "icontains"]), text.map(lambda t: [t])),
    st.builds(check, st.sampled_from(["in", "pmatch"]), st.lists(text, min_size=1, max_size=4)),
    st.builds(check, st.just("regex"), pattern.map(lambda t: [t])),
    st.builds(check, st.just("glob"), st.sampled_from(["/etc/*", "*a*", "[!a]etc", "?tc", "a\\*k"]).map(lambda t: [t])),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(checks, min_size=1, max_size=8), st.lists(text | text.map(lambda t: HALF + t), max_size=6))
def test_a_sieve_says_what_the_tests_say(tests: list[Check], texts: list[str]) -> None:
    sieve = Sieve()
    bits = [(c, bit) for c in tests if fits(c) and (bit := sieve.bit(c)) is not None]
    for value in [*texts, *texts]:
        for c, bit in bits:
            assert c.test is not None
            said = bool(sieve[value] & bit)
            if c.op in PERHAPS:
                assert said or not c.test(value)
            else:
                assert said == c.test(value), (c.op, c.values, value)


def test_nothing_answers_no_question() -> None:
    sieve = Sieve()
    assert sieve.bit(check("startswith", ["/etc"])) is not None
    assert sieve[None] == 0


def test_equal_questions_are_one() -> None:
    sieve = Sieve()
    assert sieve.bit(check("in", ["a", "b"])) == sieve.bit(check("in", ["a", "b"]))
    assert sieve.bit(check("=", ["a"])) != sieve.bit(check("contains", ["a"]))


def test_a_sieve_has_bounds_and_says_so() -> None:
    sieve = Sieve()
    large = [f"/{n:0990}" for n in range(70)]
    assert sieve.bit(check("pmatch", large)) is not None
    assert (
        sieve.bit(check("startswith", [f"/{n:01990}" for n in range(90)])) is None
    )  # then tested one by one
    assert sieve[large[7]] != 0
    for number in range(5000):
        sieve[f"/{number:0800}"]
    assert len(sieve) < 2600


def test_where_the_automaton_fails_every_test_is_tried(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """RE2 says nothing where its memory is too small; a rule must not be dead for that."""
    monkeypatch.setattr("package_hunter.rules.compile.sieve.MAX_MEMORY", 3000)
    sieve = Sieve()
    bits = [sieve.bit(check("startswith", [f"/place/{n}"])) for n in range(200)]
    assert sieve["/place/150/x"] == (bits[1] or 0) | (bits[15] or 0) | (bits[150] or 0)
