"""What is read back of a scan's steps: whoever could write the store's file may have put it there."""

from __future__ import annotations

import json

import pytest

from package_hunter.watching.steps import MAX_TRIES, Accepted, Steps, Try, _text, parent_of, read
from package_hunter.watching.stopwatch import Lap

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WHOLE = Steps(Accepted(1, 2, CALLER), (Try(1, 3, 9, True, (Lap("fetch", 4, 5),)),), 10)


def test_what_was_written_is_read() -> None:
    assert read(_text(WHOLE)) == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "[]", "7", "{", '{"accepted": 3}', '{"tries": [{}]}', '{"tries": 5}', '{"stored": "x"}'),
        *('{"stored": -1}', '{"stored": 1e400}', '{"accepted": {"begin": true, "end": 1, "parent": ""}}'),
    ],
)
def test_what_is_none_of_ours_is_nothing(text: str | None) -> None:
    assert read(text) == Steps()


def test_a_name_that_was_put_there_is_another_step_and_a_parent_that_is_none_is_none() -> None:
    said = json.loads(_text(WHOLE))
    said["accepted"]["parent"] = "00-x"
    said["tries"][0]["laps"][0]["step"] = "<script>"
    found = read(json.dumps(said))
    assert found.accepted == Accepted(1, 2, "")
    assert found.tries[0].laps[0].step == "other"


def test_no_more_is_read_than_is_ever_written() -> None:
    said = json.loads(_text(WHOLE))
    said["tries"] = said["tries"] * 20
    said["tries"][0]["laps"] = said["tries"][0]["laps"] * 300
    found = read(json.dumps(said))
    assert len(found.tries) == MAX_TRIES
    assert len(found.tries[0].laps) < 300


def test_a_row_that_is_longer_than_any_of_ours_is_not_read() -> None:
    assert read(json.dumps({"stored": 5, "more": "x" * (2 << 20)})) == Steps()


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "01" + CALLER[2:], CALLER.upper(), CALLER + "-x", f"00-{'0' * 32}-{'1' * 16}-01"),
        *(f"00-{'1' * 32}-{'0' * 16}-01", "00-" + "g" * 32 + CALLER[35:]),
    ],
)
def test_a_header_that_names_no_span_is_left(header: str | None) -> None:
    assert parent_of(header) == ""


def test_a_header_that_names_one_is_taken() -> None:
    assert parent_of(f" {CALLER} ") == CALLER
