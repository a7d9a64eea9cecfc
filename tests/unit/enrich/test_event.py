"""Arbitrary bytes are an event, or one of our two errors."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.enrich import render
from package_hunter.enrich.convert import pack
from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.event import Ev, MalformedEvent, UnknownEvent
from package_hunter.enrich.fields.source import PLAIN
from package_hunter.enrich.kinds import kind_of, kinds
from package_hunter.enrich.text import name_of
from package_hunter.model.event import EXTRA_MAGIC, HEADER, Extra
from package_hunter.model.table import StartState

NUMBERS = [k.number for k in kinds() if k is not None]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        ev = Ev(data, 0)
    except (MalformedEvent, UnknownEvent):
        return
    assert ev.at[-1] <= len(data)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Well-formed lengths, any type, any bytes in the parameters."""
    kind = kinds()[draw(st.sampled_from(NUMBERS))]
    assert kind is not None
    params = draw(st.lists(st.binary(max_size=40), max_size=len(kind.params) + 1))
    return pack(draw(st.integers(0, 2**63)), draw(st.integers(0, 40)), kind, params)


@given(st.lists(events(), min_size=1, max_size=20))
def test_hostile_parameters_never_derail(raws: list[bytes]) -> None:
    enricher = Enricher(StartState())
    for raw in raws:
        ev = enricher.feed(raw, 0)
        if ev is not None and ev.type not in (0,):
            for name, get in PLAIN.items():
                get_safely(name, get, ev)
            render.everything(ev)


def get_safely(name: str, get: object, ev: Ev) -> None:
    value = get(ev)  # type: ignore[operator]
    if isinstance(value, str):
        value.encode("utf-8")  # can be written anywhere


def test_lengths_beyond_the_end() -> None:
    raw = HEADER.pack(1, 2, 30, kind_of("syscall_close_x").number, 2) + struct.pack("<HH", 9, 9)
    with pytest.raises(MalformedEvent):
        Ev(raw, 0)
    with pytest.raises(UnknownEvent):
        Ev(HEADER.pack(1, 2, 26, 9999, 0), 0)


def test_extra_is_read_from_both_places() -> None:
    kind = kind_of("syscall_close_x")
    blob = EXTRA_MAGIC + bytes([Extra.PATH]) + struct.pack("<H", 4) + b"/a/b"
    appended = Ev(pack(1, 2, kind, [bytes(8), bytes(8), blob]), 0)
    assert appended.extra == {Extra.PATH: b"/a/b"}
    plain = pack(1, 2, kind, [bytes(8), bytes(8)])
    behind = HEADER.pack(1, 2, len(plain) + len(blob), kind.number, 2) + plain[HEADER.size :] + blob
    assert Ev(behind, 0).kernel_path == "/a/b"
    assert Ev(plain, 0).extra == {}
    cut = Ev(pack(1, 2, kind, [bytes(8), bytes(8), blob[:-2]]), 0)
    assert cut.extra == {}


def test_names_are_printable() -> None:
    assert name_of(b"/tmp/\x1b[31m\n\xc3\xa9\0rest") == "/tmp/.[31m..."
