"""Recordings: written, read back, cut short, damaged, hostile."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import platform
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.enrich.convert import pack
from package_hunter.enrich.event import Ev
from package_hunter.enrich.kinds import kind_of
from package_hunter.model.event import EXTRA_MAGIC, HEADER
from package_hunter.model.scan import Command, CommandRun
from package_hunter.model.table import ContainerInfo, FdEntry, ProcEntry, StartState
from package_hunter.sensor.scap import RecordingError, ScapReader, ScapWriter, append_runs, blocks, older
from package_hunter.sensor.table import syscalls

IDS = (7, 7, 1, 7, 7, 1, 1, 7)
PROCESS = ProcEntry(
    *IDS,
    b"sh",
    b"/bin/sh",
    b"/usr/bin/dash",
    (b"-c", b"true"),
    (b"A=1",),
    b"/tmp",
    101000,
    101000,
    0xFFFFFFFF,
    cgroups=(("memory", "/x"),),
    exe_ino=5,
    exe_lower_layer=True,
    fds=(
        FdEntry(0, "file", "/dev/null", 3, 4, 1),
        FdEntry(1, "ipv4", "", 9, l4proto=1, local=(b"\x0a\0\0\1", 80), remote=(b"\x0a\0\0\2", 81)),
        FdEntry(2, "unix", "/run/x"),
        FdEntry(3, "pipe", "pipe:[1]"),
    ),
)
START = StartState(
    (PROCESS,),
    {101000: ("dev", "/home/dev", "/bin/sh")},
    {101000: "dev"},
    "box",
    ContainerInfo("0123456789ab", "scan", "image"),
    12345,
    (b"\x0a\x58\0\2", bytes(15) + b"\1"),
)
CLOSE = kind_of("syscall_close_x")
EVENT = pack(1000, 7, CLOSE, [bytes(8), (3).to_bytes(8, "little")])


def recorded(count: int = 3) -> bytes:
    buffer = _Kept()
    with ScapWriter(buffer, START, {"target": "x"}) as writer:
        for _ in range(count):
            writer.append(EVENT, 1)
    return buffer.content


class _Kept(io.BytesIO):
    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def test_round_trip() -> None:
    reader = ScapReader(io.BytesIO(recorded()))
    assert reader.start == START
    assert reader.ours["target"] == "x"
    assert list(reader) == [(EVENT, 1)] * 3
    assert not reader.truncated


def test_what_our_probe_appends_goes_behind_the_parameters() -> None:
    buffer = _Kept()
    raw = pack(1000, 7, CLOSE, [bytes(8), bytes(8), EXTRA_MAGIC + b"\x05\x01\0\x01"])
    with ScapWriter(buffer, START) as writer:
        writer.append(raw, 0)
    ((read, _),) = ScapReader(io.BytesIO(buffer.content))
    assert int.from_bytes(read[22:26], "little") == 2
    assert int.from_bytes(read[16:20], "little") == len(read)
    assert read.endswith(b"\x05\x01\0\x01")


def test_plain_and_cut_short(tmp_path: Path) -> None:
    plain = gzip.decompress(recorded(50))
    assert len(list(ScapReader(io.BytesIO(plain)))) == 50
    cut = ScapReader(io.BytesIO(plain[:-100]))
    assert 0 < len(list(cut)) < 50
    assert cut.truncated
    crashed = ScapReader(io.BytesIO(recorded(50)[:-12]))  # as a crash leaves it: flushed, not ended
    assert len(list(crashed)) == 50
    assert crashed.truncated


@pytest.mark.parametrize(
    "data", [b"", b"no recording", b"\x1f\x8bbroken", bytes(64), b"\x0a\x0d\x0d\x0a" + b"\xff" * 40]
)
def test_no_recording(data: bytes) -> None:
    with pytest.raises(RecordingError):
        list(ScapReader(io.BytesIO(data)))


PLAIN = gzip.decompress(recorded(4))


@given(st.data())
def test_damaged_bytes_end_in_our_error(data: st.DataObject) -> None:
    content = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        reader = ScapReader(io.BytesIO(bytes(content)))
        for _raw, _cpu in reader:
            pass
    except RecordingError:
        pass


@given(st.binary(max_size=300))
def test_arbitrary_tables(data: bytes) -> None:
    head = PLAIN[:28]
    for type_ in (0x201, 0x202, 0x207, 0x210, 0x215, 0x203, 0x218, 0x205, 0x219, 0x206, 0x220, 0x999):
        size = len(data) + 12
        block = type_.to_bytes(4, "little") + size.to_bytes(4, "little") + data + size.to_bytes(4, "little")
        try:
            list(ScapReader(io.BytesIO(head + block)))
        except RecordingError:
            pass


def test_old_event_blocks_get_their_number_of_parameters() -> None:
    old = EVENT[:16] + (len(EVENT) - 4).to_bytes(4, "little") + EVENT[20:22] + EVENT[26:]
    size = len(old) + 2 + 12 + (-(len(old) + 2) % 4)
    block = (0x204).to_bytes(4, "little") + size.to_bytes(4, "little") + b"\1\0" + old
    block += bytes(-(len(old) + 2) % 4) + size.to_bytes(4, "little")
    assert list(ScapReader(io.BytesIO(PLAIN[:28] + block))) == [(EVENT, 1)]


RUN = CommandRun(
    "install", "default", Command((), "", blame_purl="pkg:npm/x@1", script="postinstall"), 7, 1, 2, None
)


def test_the_commands_that_ran_are_told_after_the_last_event(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    path.write_bytes(recorded(3))
    append_runs(path, [RUN, replace(RUN, phase="import", command=Command((), ""))])
    with ScapReader(path) as reader:
        assert reader.runs == []
        assert list(reader) == [(EVENT, 1)] * 3
        assert reader.runs == [RUN, replace(RUN, phase="import", command=Command((), ""))]
        assert not reader.truncated


@given(st.binary(max_size=80) | st.sampled_from([b"[1]", b'{"phase": 1}', b'{"pid": "x"}', b"[" * 50_000]))
def test_commands_that_make_no_sense_are_left_out(text: bytes) -> None:
    note = pack(1, 0, kind_of("notification_e"), [b"package-hunter.run\0", text + b"\0"])
    buffer = _Kept()
    with ScapWriter(buffer, START) as writer:
        writer.append(note, 0)
    reader = ScapReader(io.BytesIO(buffer.content))
    assert list(reader) == []
    assert reader.runs == []


def test_other_notifications_are_events() -> None:
    note = pack(1, 0, kind_of("notification_e"), [b"another\0", b"package-hunter.run\0"])
    buffer = _Kept()
    with ScapWriter(buffer, START) as writer:
        writer.append(note, 0)
    assert list(ScapReader(io.BytesIO(buffer.content))) == [(note, 0)]


def test_the_container_is_an_event_for_others_and_none_for_us() -> None:
    plain = gzip.decompress(recorded(1))
    assert b'"container": {"id": "0123456789ab"' in plain
    assert list(ScapReader(io.BytesIO(plain))) == [(EVENT, 1)]


class _Full(io.BytesIO):
    """A disk with room for so many bytes."""

    room = 2_000

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_a_full_disk_ends_the_recording_only() -> None:
    disk = _Full()
    writer = ScapWriter(disk, START)
    for number in range(20_000):
        writer.append(pack(number, number, CLOSE, [os.urandom(8), os.urandom(8)]), 0)
    assert writer.failed == "No space left on device"
    writer.close()
    assert writer.events == 20_000


def _told(key: str, *params: bytes) -> bytes:
    """An event as the probe gives it: with a parameter of ours behind the schema's last."""
    return pack(1000, 7, kind_of(key), [*params, EXTRA_MAGIC + b"\x01\x02\0/a"])


def _n(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "little")


NEWER = (
    _told("syscall_fcntl_x", _n(5), _n(3), _n(1, 1), _n(9)),
    pack(1000, 7, kind_of("syscall_fcntl_x"), [_n(5), _n(3), _n(1, 1), _n(9)]),
    pack(1000, 7, kind_of("socket_socket_x"), [_n(3), _n(2, 4), _n(1, 4), _n(6, 4), _n(4096, 4)]),
    pack(1000, 7, kind_of("syscall_close_range_x"), [_n(0), _n(3, 4), _n(0xFFFFFFFF, 4), _n(0, 4)]),
    _told("syscall_keyctl_x", _n(0), _n(1, 4), b"\0" + _n(1), b"", b"", b""),
)


def test_an_older_falco_meets_only_events_that_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "a.scap"
    with ScapWriter(path, START) as writer:
        for raw in (*NEWER, EVENT):
            writer.append(raw, 1)
    written = {151: 3, 19: 4, 1: 2, 4: 2}  # libs 0.23's event table
    for number, count, params in _events(path.read_bytes()):
        assert number < 430
        assert written.get(number, count) == count
        if number == 1:
            machine = platform.machine()
            assert params[:2] == _n(0, 2)  # Falco's own numbers of later calls crash sysdig
            assert params[2:4] in [
                _n(syscalls()[c].number(machine) or 0, 2) for c in ("close_range", "keyctl")
            ]
    with ScapReader(path) as reader:
        read = [raw for raw, _ in reader]
    assert [Ev(raw, 0).extra for raw in read] == [Ev(raw, 0).extra for raw in (*NEWER, EVENT)]
    for was, now in zip((*NEWER, EVENT), map(_plain, read), strict=True):
        assert now == _plain(was)


def test_recordings_from_before_are_read_as_they_are(tmp_path: Path) -> None:
    buffer = _Kept()
    writer = ScapWriter(buffer, START, {"target": "x"})
    for raw in NEWER[1:4]:  # as it was written until today: today's form
        writer._event(raw, 0)
    writer.close()
    with ScapReader(io.BytesIO(buffer.content)) as reader:
        assert [raw for raw, _ in reader] == list(NEWER[1:4])


@given(st.sampled_from((1, 19, 151)), st.binary(max_size=80), st.binary(max_size=60))
def test_no_bytes_behind_an_event_derail_its_restoring(number: int, params: bytes, behind: bytes) -> None:
    body = params + EXTRA_MAGIC + b"\x0b" + len(behind).to_bytes(2, "little") + behind
    raw = HEADER.pack(1, 7, HEADER.size + len(body), number, len(params) // 4) + body
    for given_ in (raw, raw[:-3]):
        found = older.restore(given_)
        assert found == given_ or Ev(found, 0).type in older.NEWER


def _plain(raw: bytes) -> tuple[int, int, list[bytes]]:
    ev = Ev(raw, 0)
    return ev.type, ev.ts, [ev.param(i) for i in range(ev.kind.known)]


def _events(data: bytes) -> list[tuple[int, int, bytes]]:
    """Number, number of parameters and parameters of the system calls' events, block by block."""
    data, at, found = gzip.decompress(data), 0, []
    while at < len(data):
        kind, size = blocks.HEAD.unpack_from(data, at)
        if kind == blocks.EVENT:
            _, _, _, number, count = HEADER.unpack_from(data, at + 10)
            found.append((number, count, data[at + 10 + HEADER.size + 2 * count : at + size - 4]))
        at += size
    return found


def test_the_container_event_says_the_boxs_address() -> None:
    buffer = _Kept()
    container = ContainerInfo("0123456789ab", "scan", "image", ip="10.88.0.2")
    ScapWriter(buffer, replace(START, container=container)).close()
    plain = gzip.decompress(buffer.content)
    said = plain[plain.rindex(b'{"container": {"id"') :]  # the first is in our own block
    assert json.loads(said[: said.index(b"\0")])["container"]["ip"] == "10.88.0.2"
    with ScapReader(io.BytesIO(buffer.content)) as reader:
        assert reader.start.container == container
