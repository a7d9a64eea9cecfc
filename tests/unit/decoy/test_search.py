"""The canary search: every encoding of the contract, nothing in honest traffic, linear and bounded."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.search import Searcher
from package_hunter.decoy.unwrap import Budget

CANARIES = make_canaries("t", project="/home/dev/projects/app")[0]
REFERENCES = [c for _ in range(2) for c in make_canaries("r", project="/home/dev/projects/app")[0]]
SEARCHER = Searcher(CANARIES, REFERENCES)


def found(data: bytes) -> set[str]:
    return {SEARCHER.canaries[f.canary].id for f in SEARCHER.deep(data, Budget(8 << 20))}


def _zip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", data)
    return buffer.getvalue()


def _tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("secrets.txt")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _multipart(data: bytes) -> bytes:
    return (
        b'--x1\r\ncontent-disposition: form-data; name="f"\r\n\r\n'
        + base64.b64encode(data)
        + b"\r\n--x1--\r\n"
    )


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda d: d,
    "base64": base64.b64encode,
    "base64, second alignment": lambda d: base64.b64encode(b"x" + d),
    "base64, third alignment": lambda d: base64.b64encode(b"xy" + d),
    "base64 urlsafe": base64.urlsafe_b64encode,
    "base64 in MIME lines": base64.encodebytes,
    "base64 twice": lambda d: base64.b64encode(base64.b64encode(d)),
    "base32": base64.b32encode,
    "hex": lambda d: d.hex().encode(),
    "upper-case hex": lambda d: d.hex().upper().encode(),
    "URL encoding": lambda d: urllib.parse.quote_from_bytes(d, safe="").encode(),
    "URL encoding of every byte": lambda d: b"".join(b"%%%02x" % b for b in d),
    "reversed": lambda d: d[::-1],
    "reversed base64": lambda d: base64.b64encode(d)[::-1],
    "base64 of reversed": lambda d: base64.b64encode(d[::-1]),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "brotli": brotli.compress,
    "zip": _zip,
    "tar.gz": _tar,
    "base64 of gzip": lambda d: base64.b64encode(gzip.compress(d)),
    "hex of zlib": lambda d: zlib.compress(d).hex().encode(),
    "gzip twice": lambda d: gzip.compress(gzip.compress(d)),
    "JSON": lambda d: json.dumps({"a": [{"v": d.decode()}]}).encode(),
    "JSON within JSON": lambda d: json.dumps({"x": json.dumps({"v": d.decode()})}).encode(),
    "JSON, list of pieces": lambda d: json.dumps(
        [d.decode()[i : i + 3] for i in range(0, len(d), 3)]
    ).encode(),
    "JSON, list of bytes": lambda d: json.dumps({"type": "Buffer", "data": list(d)}).encode(),
    "multipart": _multipart,
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "UTF-16 big-endian": lambda d: d.decode().encode("utf-16-be"),
    "XOR 0x5a": lambda d: bytes(b ^ 0x5A for b in d),
    "base64 of XOR": lambda d: base64.b64encode(bytes(b ^ 0x91 for b in d)),
    "XOR of base64": lambda d: bytes(b ^ 0x17 for b in base64.b64encode(d)),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_canary_is_found_in_every_encoding(encoding: str) -> None:
    missed = [
        c.kind for c in CANARIES if c.id not in found(ENCODINGS[encoding](b"data=" + c.value.encode() + b";"))
    ]
    # a wallet that is a list of numbers is told apart from other numbers only as a whole
    assert not [kind for kind in missed if kind != "solana-wallet" or encoding in ("plain", "base64", "gzip")]


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
