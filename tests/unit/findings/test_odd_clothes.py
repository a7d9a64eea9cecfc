"""Secrets in odd clothes are likely finds, never proof; what honest and random traffic carries is none."""

from __future__ import annotations

import base64
import codecs
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.forge import jwt
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.data_out import MAX_KEPT, Sent
from package_hunter.findings.odd_clothes import KIND, Material, comparisons, gaps, signals
from package_hunter.model.observation import (
    Canary,
    CanaryHit,
    CanaryRead,
    DnsRecord,
    NetworkLog,
    Observation,
    Request,
)
from tests.support.judge_samples import BLAME, SECOND, T0, judge

CANARIES = tuple(c for c in make_canaries("odd")[0] if c.kind in ("npm-token", "aws-secret"))
_KEY = b"k3y!s"
CLOTHES: dict[str, Callable[[bytes], bytes]] = {
    "base-85": base64.b85encode,
    "ascii85": base64.a85encode,
    "turned by 13": lambda d: codecs.encode(d.decode(), "rot13").encode(),
    "a word a nibble": lambda d: " ".join(f"w{chr(97 + int(h, 16)) * 3}" for h in d.hex()).encode(),
    "key of 5": lambda d: bytes(b ^ _KEY[n % 5] for n, b in enumerate(d)),
    "base64 of key of 5": lambda d: base64.b64encode(bytes(b ^ _KEY[n % 5] for n, b in enumerate(d))),
    "noise": lambda d: bytes(x for n, b in enumerate(d) for x in (b, 65 + n % 26)),
}


def _sent(*messages: bytes) -> Sent:
    what = Sent(BLAME, T0, T0)
    for number, data in enumerate(messages):
        what.add(T0 + number, "collect.example", "body", data, number)
    return what


def _alike(canary: Canary, what: Sent) -> bool:
    return Material(what, [canary.value]).likeness(canary.value) is not None


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("canary", CANARIES, ids=lambda c: c.kind)
def test_each_dress_is_seen_through_alone_and_within_json(canary: Canary, clothes: str) -> None:
    data = CLOTHES[clothes](canary.value.encode())
    assert _alike(canary, _sent(data))
    assert _alike(canary, _sent(b'{"name": "pkg", "data": "' + data + b'", "os": "linux"}'))


@pytest.mark.parametrize("canary", CANARIES, ids=lambda c: c.kind)
def test_pieces_in_any_order_are_put_together(canary: Canary) -> None:
    data = canary.value.encode()
    parts = [data[at : at + 6] for at in range(0, len(data), 6)]
    random.Random(3).shuffle(parts)
    assert _alike(canary, _sent(*parts))


def test_random_and_honest_traffic_is_like_no_secret() -> None:
    chance = random.Random(11)
    for _ in range(20):
        noise = chance.randbytes(1_500)
        told = [
            json.dumps({"event": "install", "id": chance.getrandbits(128), "version": f"1.2.{n}"}).encode()
            for n in range(20)
        ]
        for what in (_sent(noise), _sent(base64.b64encode(noise)), _sent(noise.hex().encode()), _sent(*told)):
            assert not any(_alike(canary, what) for canary in CANARIES)


def _request(body: bytes, after: int = 5) -> Request:
    return Request(
        T0 + after * SECOND, "POST", "https://collect.example/c", (), body, len(body), 200, 1, blame=BLAME
    )


CANARY = CANARIES[0]
READ = CanaryRead(T0 + SECOND, CANARY.id, CANARY.place, 1, BLAME)
DRESSED = codecs.encode(CANARY.value, "rot13").encode()


def _kinds(network: NetworkLog, *reads: CanaryRead) -> list[str]:
    return [f.kind for f in judge(Observation(canary_reads=reads), network, CANARIES)]


def test_it_is_suspicious_and_says_what_went_where() -> None:
    found = judge(Observation(canary_reads=(READ,)), NetworkLog(requests=(_request(DRESSED),)), CANARIES)
    likely = next(f for f in found if f.kind == KIND)
    assert not likely.proof
    assert (
        likely.title.startswith(f"It probably sent your {CANARY.kind.replace('-', ' ')}, ")
        and "to collect.example" in likely.title
    )


def test_who_read_nothing_or_sent_before_or_is_another_is_not_accused() -> None:
    network = NetworkLog(requests=(_request(DRESSED),))
    other = replace(READ, blame=replace(BLAME, package="pkg:npm/other@1.0.0"))
    assert KIND not in _kinds(network)
    assert KIND not in _kinds(network, other)
    assert KIND not in _kinds(network, replace(READ, time_ns=T0 + 9 * SECOND))


def test_every_secret_of_a_file_that_was_opened_is_looked_for() -> None:
    first, second = replace(CANARY, id="c0"), replace(CANARY, id="c1", value=CANARY.value[::-1])
    other = replace(CANARY, id="c2", place="/home/dev/.other", value=CANARY.value.swapcase())
    read = replace(READ, canary=first.id)
    for canary, alike in ((first, True), (second, True), (other, False)):
        body = codecs.encode(canary.value, "rot13").encode()
        context = _context(NetworkLog(requests=(_request(body),)), read, canaries=(first, second, other))
        (one,) = comparisons(context)
        assert [c.id for c in one.canaries] == ["c0", "c1"]
        assert any(signal.data["canary"] == canary.id for signal in signals(context)) is alike


def test_what_was_found_exactly_is_not_told_again() -> None:
    hit = CanaryHit(T0 + 5 * SECOND, CANARY.id, (), "http-body", "collect.example:443", 1, False, BLAME)
    kinds = _kinds(NetworkLog(requests=(_request(DRESSED),), hits=(hit,)), READ)
    assert "exfiltration" in kinds and KIND not in kinds


def test_names_that_are_looked_up_are_put_together_too() -> None:
    parts = [CANARY.value[at : at + 6].encode().hex() for at in range(0, len(CANARY.value), 6)]
    asked = tuple(
        DnsRecord(T0 + (5 + n) * SECOND, f"{part}.collect.example", "A", "198.18.1.1", 1, BLAME)
        for n, part in enumerate(reversed(parts))
    )
    assert KIND in _kinds(NetworkLog(dns=asked), READ)


def _context(network: NetworkLog, *reads: CanaryRead, canaries: tuple[Canary, ...] = CANARIES) -> Context:
    return Context(Observation(canary_reads=reads), network, RoundFacts(canaries=canaries), None)


def test_what_was_read_at_install_and_sent_at_import_is_one_deed() -> None:
    network = NetworkLog(requests=(replace(_request(DRESSED), blame=replace(BLAME, phase="import")),))
    assert KIND in _kinds(network, READ)


def test_a_lawful_use_exempts_its_host_and_no_other() -> None:
    hit = CanaryHit(T0 + 4 * SECOND, CANARY.id, (), "http-header", "collect.example:443", 1, True, BLAME)
    network = NetworkLog(requests=(_request(DRESSED),), hits=(hit,))
    assert KIND not in _kinds(network, READ)
    assert KIND in _kinds(replace(network, hits=(replace(hit, destination="own.example:443"),)), READ)


def test_what_is_too_much_is_inconclusive_only_where_a_secret_was_read() -> None:
    network = NetworkLog(requests=(_request(b"x" * MAX_KEPT), _request(b"more")))
    reasons, notes = gaps(_context(network))
    assert not reasons and "were not searched for secrets" in notes[0]
    reasons, notes = gaps(_context(network, READ))
    assert "were not searched for secrets" in reasons[0] and not notes
    assert gaps(_context(NetworkLog(requests=(_request(DRESSED),)), READ)) == ((), ())


def test_the_rounds_work_is_bytes_times_secrets_and_what_it_leaves_out_is_told() -> None:
    reads = tuple(replace(READ, canary=canary.id) for canary in CANARIES)
    context = _context(NetworkLog(requests=(_request(DRESSED),)), *reads)
    (whole,) = comparisons(context)
    assert len(whole.canaries) == len(CANARIES) and not whole.left_out
    (some,) = comparisons(context, budget=whole.what.work)
    assert len(some.canaries) == 1 and len(some.left_out) == len(CANARIES) - 1
    reasons, _ = gaps(context, budget=whole.what.work)
    assert f"not compared with {len(CANARIES) - 1} of the fake secrets" in reasons[0]


def test_a_list_of_numbers_is_not_pieced_together_out_of_everyday_numbers() -> None:
    chance = random.Random(1)
    key = replace(CANARY, value=json.dumps([chance.randrange(256) for _ in range(64)], separators=(",", ":")))
    told = [b'{"id":%d,"v":"1.2.%d"}' % (chance.getrandbits(64), n) for n in range(6_000)]
    assert not _alike(key, _sent(b"".join(told)))


def test_a_token_of_its_own_maker_is_like_no_other_of_its_form() -> None:
    tokens = tuple(c for c in make_canaries("odd")[0] if c.value.startswith("eyJ"))
    assert len(tokens) > 1
    for number in range(5):
        own = jwt("https://maker.example", f"user-{number}").encode()
        for what in (_sent(own), _sent(b'{"token": "' + own + b'"}'), _sent(base64.b64encode(own))):
            assert not any(_alike(token, what) for token in tokens)
    assert _alike(tokens[0], _sent(CLOTHES["key of 5"](tokens[0].value.encode())))
