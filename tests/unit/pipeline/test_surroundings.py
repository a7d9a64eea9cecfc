"""What a recording keeps beside its events."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.model.observation import Canary, Connection, DecoyMark, NetworkLog
from package_hunter.model.scan import Leftovers, LeftRunning, Package, Wait
from package_hunter.pipeline.rederive import kept_in
from package_hunter.pipeline.surroundings import pack, unpack
from package_hunter.sensor.scap import ScapReader, append_round
from tests.support import bundle_samples as samples


def test_all_of_it_comes_back() -> None:
    network = NetworkLog(
        connections=(Connection(1, "tcp", "1.2.3.4", 443, 5, None, None, 6, 7, head=b"\xff\x00"),),
        marks=(DecoyMark(1, "mining", "d", "x", 2, evidence={"n": [1, {"a": None}]}),),
        cut={"dns": 3},
    )
    waits = (Wait("timer", 3600.0, float("inf")),)
    facts = replace(
        samples.surroundings().facts,
        canaries=(Canary("c", "k", "/p", "v", ("registry-auth",)),),
        packages=(Package("pkg:npm/a@1", "a", "1", scripts={"install": "node x"}),),
        left=Leftovers((LeftRunning(1, 2, "cmd", "/bin/x", False, waits),), 9),
        scriptless=frozenset({"pkg:npm/a@1"}),
        patched=frozenset({"/x"}),
    )
    made = samples.surroundings(network=network, facts=facts)
    back = unpack(pack(made))
    assert back is not None
    assert back.network == network
    assert back.facts.left == facts.left
    assert (back.facts.scriptless, back.facts.patched) == (facts.scriptless, facts.patched)
    assert tuple(back.facts.packages) == facts.packages
    assert (back.rules, back.runs) == (made.rules, made.runs)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"x",
        zlib.compress(b"[]"),
        zlib.compress(b"[" * 100_000),
        pack(samples.surroundings())[:-10],
        pack(samples.surroundings(form=2)),
    ],
)
def test_what_is_none(packed: bytes) -> None:
    assert unpack(packed) is None


def test_a_large_one_is_kept_in_pieces(tmp_path: Path) -> None:
    many = tuple(
        replace(samples.HIT, time_ns=n, destination=f"{n * 7919:x}.example:80") for n in range(20_000)
    )
    made = samples.surroundings(network=NetworkLog(hits=many))
    assert len(pack(made)) > 100_000
    path = samples.recording(tmp_path / "x.scap", made)
    assert kept_in(path).surroundings == unpack(pack(made))
    with ScapReader(path) as source:
        assert len(list(source)) == 2  # no piece is an event of the scan


def test_a_piece_that_is_damaged_spoils_it_all(tmp_path: Path) -> None:
    path = samples.recording(tmp_path / "x.scap", samples.surroundings())
    append_round(path, b"x")
    assert kept_in(path).surroundings is None
