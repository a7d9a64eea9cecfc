"""What left is kept by package, whatever the phase; what is cut is counted."""

from __future__ import annotations

import base64
from dataclasses import replace

from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.data_out import MAX_KEPT, Sent, sender_of, sent
from package_hunter.model.observation import DnsRecord, NetworkLog, Observation, Request
from tests.support.judge_samples import BLAME, T0


def test_a_package_is_one_sender_over_all_phases_and_others_are_apart() -> None:
    assert sender_of(BLAME) == sender_of(replace(BLAME, phase="another"))
    assert sender_of(BLAME) != sender_of(replace(BLAME, package="pkg:npm/other@1.0.0"))
    nobody = replace(BLAME, package=None)
    assert sender_of(nobody) != sender_of(replace(nobody, phase="another"))


def test_what_there_is_no_room_for_is_counted() -> None:
    what = Sent(BLAME, T0, T0)
    what.add(T0, "a.example", "body", b"x" * MAX_KEPT)
    assert what.cut == 0
    what.add(T0, "a.example", "body", b"x")
    assert (what.cut, what.size) == (1, MAX_KEPT)


def test_too_many_messages_are_counted_too() -> None:
    what = Sent(BLAME, T0, T0, most=2)
    for number in range(5):
        what.add(T0, "a.example", "body", b"x", number)
    assert (what.cut, len(what.messages), what.asked) == (3, 2, [0, 1])


def test_what_some_hosts_got_can_be_left_out() -> None:
    what = Sent(BLAME, T0, T0)
    what.add(T0, "a.example", "body", b"one")
    what.add(T0, "b.example", "body", b"two!")
    rest = what.without(frozenset({"a.example"}))
    assert (rest.places, rest.size) == (("b.example",), 4)
    assert what.places == ("a.example", "b.example")


def test_whatever_is_wrapped_in_a_stream_is_one_more() -> None:
    what = Sent(BLAME, T0, T0)
    tokens = [base64.b64encode(b"number %04d of what is inside" % number) for number in range(2_000)]
    what.add(T0, "a.example", "body", b" ".join(tokens))
    plain, inside = what.streams()
    assert plain == b" ".join(tokens) and inside.count(b"of what is inside") == 2_000


def test_each_place_and_channel_is_work_whatever_little_it_got() -> None:
    few, many = Sent(BLAME, T0, T0), Sent(BLAME, T0, T0)
    for number in range(1_000):
        few.add(T0, "a.example", "body", b"x")
        many.add(T0, "a.example", f"header x{number}", b"x")
    assert few.size == many.size and many.work > 100 * few.work


def test_a_host_is_told_and_not_its_domain_as_well_nor_a_registrys() -> None:
    asked = [
        DnsRecord(T0 + number, name, "A", "198.18.1.1", 1, BLAME)
        for number, name in enumerate(
            ("files.registry.example", "forms.evil.example.net", "a1b2c3.other.example")
        )
    ]
    requests = [
        Request(T0 + 9, "GET", "https://files.registry.example/a.whl", (), b"", 0, 200, 1, True, BLAME),
        Request(T0 + 9, "POST", "https://forms.evil.example.net/x", (), b"said", 4, 200, 2, False, BLAME),
    ]
    log = NetworkLog(dns=tuple(asked), requests=tuple(requests))
    (mine,) = sent(Context(Observation(), log, RoundFacts(), None)).values()
    assert set(mine.places) == {"forms.evil.example.net", "other.example"}
