"""One alert out of the bytes that came: right, wrong, hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES, BadAlertError, number, parse
from tests.support.falco_alerts import alert, line


def test_all_of_it() -> None:
    found = parse(line(proc__pid=42, thread__tid=43, evt__num="7", evt__type="connect", proc__tty=None))
    assert (found.rule, found.priority, found.source) == ("Some rule", "Notice", "syscall")
    assert found.time_ns == 1795435200_000000001
    assert (found.pid, found.tid, found.event_num, found.event_type) == (42, 43, 7, "connect")
    assert found.tags == ("T1059", "process")
    assert found.output_fields["proc.tty"] is None


@pytest.mark.parametrize(
    ("said", "ns"),
    [
        ("2026-11-23T12:00:00Z", 1795435200_000000000),
        ("2026-11-23T12:00:00.5Z", 1795435200_500000000),
        ("2026-11-23T13:00:00.000000001+01:00", 1795435200_000000001),
    ],
)
def test_times(said: str, ns: int) -> None:
    assert parse(json.dumps({**alert(), "time": said}).encode()).time_ns == ns


def test_priorities_of_every_output() -> None:
    for said, meant in (("NOTICE", "Notice"), ("informational", "Informational"), ("Info", "Informational")):
        assert parse(json.dumps({**alert(), "priority": said}).encode()).priority == meant


WRONG: dict[str, Any] = {
    "no JSON": b"12:00:00.000000001: Notice something happened",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "too long": b" " * (MAX_ALERT_BYTES + 1),
    "no rule": {"rule": ""},
    "no time": {"time": "yesterday"},
    "a day that is none": {"time": "2026-02-30T00:00:00Z"},
    "priority": {"priority": "Loud"},
    "no fields": {"output_fields": None},
    "too many fields": {"output_fields": {str(n): n for n in range(1000)}},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_alert(name: str) -> None:
    wrong = WRONG[name]
    with pytest.raises(BadAlertError):
        parse(wrong if isinstance(wrong, bytes) else json.dumps({**alert(), **wrong}).encode())


def test_numbers() -> None:
    fields = {"a": 5, "b": "6", "c": "x", "d": True, "e": None, "f": 1 << 80, "g": 1.5}
    assert [number(fields, name) for name in "abcdefg"] == [5, 6, None, None, None, None, None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*alert(), "uuid"]), JSON))
def test_anything_is_an_alert_or_refused(found: dict[str, Any]) -> None:
    try:
        parse(json.dumps({**alert(), **found}).encode())
    except BadAlertError:
        pass


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        parse(data)
    except BadAlertError:
        pass
