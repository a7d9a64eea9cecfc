"""A file of several recordings, one behind the other: each is a section with tables of its own."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace

import pytest

from package_hunter.enrich.convert import pack
from package_hunter.enrich.kinds import kind_of
from package_hunter.model.table import ProcEntry, RawEvent, StartState
from package_hunter.sensor.scap import ScapReader, ScapWriter

IDS = (7, 7, 1, 7, 7, 1, 1, 7)
SHELL = ProcEntry(*IDS, b"sh", b"/bin/sh", b"/usr/bin/dash", (), (), b"/tmp", 0, 0, 0)
FIRST, SECOND = StartState((SHELL,), hostname="one"), StartState((), hostname="two")


class _Kept(io.BytesIO):
    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def event(ts: int) -> RawEvent:
    return pack(ts, 7, kind_of("syscall_close_x"), [bytes(8), bytes(8)]), 1


def recorded(start: StartState, *events: RawEvent) -> bytes:
    buffer = _Kept()
    with ScapWriter(buffer, start) as writer:
        for raw, cpu in events:
            writer.append(raw, cpu)
    return buffer.content


BOTH = recorded(FIRST, event(1), event(2)) + recorded(SECOND, event(3))


@pytest.mark.parametrize("content", [BOTH, gzip.decompress(BOTH)], ids=["gzip", "plain"])
def test_each_section_has_its_own_tables_and_events(content: bytes) -> None:
    sections = ScapReader(io.BytesIO(content)).sections()
    seen = [(section.start, list(section.events)) for section in sections]
    assert seen == [(FIRST, [event(1), event(2)]), (SECOND, [event(3)])]


def test_what_was_not_read_of_a_section_is_passed_over() -> None:
    seen = [section.start.hostname for section in ScapReader(io.BytesIO(BOTH)).sections()]
    assert seen == ["one", "two"]
    sections = ScapReader(io.BytesIO(BOTH)).sections()
    assert next(iter(next(sections).events)) == event(1)
    assert list(next(sections).events) == [event(3)]


def test_a_section_without_events() -> None:
    content = recorded(FIRST) + recorded(replace(SECOND, hostname="empty")) + recorded(SECOND, event(3))
    seen = [(s.start.hostname, list(s.events)) for s in ScapReader(io.BytesIO(content)).sections()]
    assert seen == [("one", []), ("empty", []), ("two", [event(3)])]


def test_the_reader_itself_gives_the_events_of_all_sections() -> None:
    reader = ScapReader(io.BytesIO(BOTH))
    assert reader.start == FIRST
    assert list(reader) == [event(1), event(2), event(3)]
    assert not reader.truncated


def test_a_file_that_ends_in_its_second_section_is_cut() -> None:
    reader = ScapReader(io.BytesIO(gzip.decompress(BOTH)[:-6]))
    assert [len(list(section.events)) for section in reader.sections()] == [2, 0]
    assert reader.truncated
