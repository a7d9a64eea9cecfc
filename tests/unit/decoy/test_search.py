"""The canary search: every encoding of the contract, nothing in honest traffic, linear and bounded."""

from __future__ import annotations

import base64
import gzip
import os
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.lawful import Registries
from package_hunter.decoy.search import Searcher
from package_hunter.decoy.unwrap import Budget
from package_hunter.decoy.watch import Watch
from package_hunter.decoy.web import Peer
from package_hunter.model.observation import Canary
from tests.support.encodings_of_secrets import FOUND

CANARIES = make_canaries("t", project="/home/dev/projects/app")[0]
REFERENCES = [c for _ in range(2) for c in make_canaries("r", project="/home/dev/projects/app")[0]]
SEARCHER = Searcher(CANARIES, REFERENCES)


def found(data: bytes) -> set[str]:
    return {SEARCHER.canaries[f.canary].id for f in SEARCHER.deep(data, Budget(8 << 20))}


@pytest.mark.parametrize("encoding", FOUND)
def test_every_canary_is_found_in_every_encoding(encoding: str) -> None:
    missed = [
        c.kind for c in CANARIES if c.id not in found(FOUND[encoding](b"data=" + c.value.encode() + b";"))
    ]
    # a wallet that is a list of numbers is told apart from other numbers only as a whole
    assert not [kind for kind in missed if kind != "solana-wallet" or encoding in ("plain", "base64", "gzip")]


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: text[::-1], id="reversed"),
        pytest.param(lambda text: base64.b64encode(text.encode()).decode()[::-1], id="reversed base64"),
        pytest.param(lambda text: base64.b64encode(text[::-1].encode()).decode(), id="base64 of reversed"),
    ],
)
def test_base64_of_any_kind_is_found_in_its_url_alphabet(hide: Callable[[str], str]) -> None:
    """A host name carries no + and /: a secret that is full of them is written with - and _ there."""
    secret = Canary("c", "aws-secret", "env:AWS", "a+b/C+d/E+f/G+h/I+j/K+l/M+n/O+p/Q+r/S+t/")
    searcher = Searcher((secret,), [])
    text = hide(secret.value).replace("+", "-").replace("/", "_").replace("=", "")
    assert text != hide(secret.value)
    found = searcher.deep(f"{text[:60]}.collect.example".encode(), Budget(1 << 20))
    assert [searcher.canaries[hit.canary].id for hit in found]


@pytest.mark.parametrize(
    "pack", [bytes, lambda head: head.hex().encode(), base64.b64encode, lambda h: h[::-1]]
)
def test_the_head_of_a_token_is_enough(pack: Callable[[bytes], bytes]) -> None:
    """Sixteen bytes are what a ping's pattern holds, and a token's first four are those of every token."""
    tokens = [c for c in CANARIES if c.kind in ("npm-token", "github-token", "gitlab-token", "pypi-token")]
    assert len(tokens) >= 2
    for canary in tokens:
        head = canary.value.encode()[:16]
        others = [r.value.encode()[:16] for r in REFERENCES if r.kind == canary.kind]
        random = sum(any(other[i] != head[i] for other in others) for i in range(16))
        assert (canary.id in found(b"x=" + pack(head) + b"&")) is (random >= 9), canary.kind
        assert canary.id not in found(b"x=" + pack(others[0]) + b"&"), "a token of somebody else's"


def test_a_useful_part_is_enough() -> None:
    for canary in CANARIES:
        if canary.kind in ("npm-token", "github-token", "aws-secret"):
            value = canary.value.encode()
            assert canary.id in found(b"k=" + value[-20:]), canary.kind


def test_two_scans_share_no_needle() -> None:
    other = make_canaries("u", project="/home/dev/projects/app")[0]
    for canary in other:
        assert found(canary.value.encode()) == set(), canary.kind


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=20_000))
def test_arbitrary_bytes_hold_no_canary_and_cost_no_more_than_the_budget(data: bytes) -> None:
    budget = Budget(1 << 20)
    assert list(SEARCHER.deep(data, budget)) == []
    assert budget.left >= 0


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=3_000),
    st.binary(max_size=3_000),
    st.integers(0, len(CANARIES) - 1),
    st.integers(0, 255),
)
def test_a_canary_anywhere_under_any_xor_key_is_found(
    before: bytes, after: bytes, which: int, key: int
) -> None:
    canary = CANARIES[which]
    data = bytes(b ^ key for b in before + canary.value.encode() + after)
    assert canary.id in {SEARCHER.canaries[f.canary].id for f in SEARCHER.scan(data)}


def test_a_bomb_is_cut() -> None:
    bomb = gzip.compress(bytes(200 << 20), 9)
    for _ in range(2):
        bomb = gzip.compress(bomb, 9)
    budget = Budget(1 << 20)
    assert list(SEARCHER.deep(bomb, budget)) == []
    budget = Budget(1 << 20)
    list(SEARCHER.deep(gzip.compress(bytes(64 << 20)), budget))
    assert budget.cut


def test_work_grows_in_proportion() -> None:
    class Counting(Searcher):
        seen = 0

        def scan(self, data: bytes):  # type: ignore[no-untyped-def]
            Counting.seen += len(data)
            return super().scan(data)

    searcher = Counting(CANARIES, REFERENCES)
    for data in (os.urandom(1 << 20), b"A" * (1 << 20), b"%41" * 300_000, b"ab," * 300_000, b"1," * 500_000):
        Counting.seen = 0
        list(searcher.deep(data, Budget(4 << 20)))
        assert Counting.seen <= len(data) + (4 << 20)


def test_what_a_service_hands_out_is_searched_for_from_then_on() -> None:
    ours = [canary for canary in CANARIES if canary.handed_out]
    assert len(ours) > 10
    hits: list[str] = []
    watch = Watch(CANARIES, REFERENCES, lambda _, hit: hits.append(hit.canary), Registries({}))  # type: ignore[misc,arg-type]
    peer = Peer("192.0.2.1", 4444, 1, None)

    def say() -> list[str]:
        hits.clear()
        peer.peer_port += 1
        for canary in ours:
            sink = watch.raw(peer, "tcp")
            sink.feed(base64.b64encode(b"it is " + canary.value.encode()))
            sink.close()
        return hits

    assert say() == []
    for number in (3, 7, 3):
        watch.gave(ours[number])
    assert say() == [ours[3].id, ours[7].id]
    planted = next(canary for canary in CANARIES if not canary.handed_out)
    assert watch.searcher.scan(planted.value.encode())[0].canary == watch.searcher.canaries.index(planted)
