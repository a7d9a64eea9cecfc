"""Reads a .scap recording, ours or Falco's, as a stream: tables first, then event after event."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from package_hunter import given
from package_hunter.model.event import HEADER, event_numbers, event_table
from package_hunter.model.scan import Command, CommandRun
from package_hunter.model.table import ContainerInfo, FdEntry, ProcEntry, RawEvent, Section, StartState
from package_hunter.sensor.scap import blocks, older, tables
from package_hunter.sensor.scap.blocks import DAMAGED, RecordingError

_CHUNK = 1 << 17
_V1_HEADER = 22  # an event header without the number of parameters
_CONTAINER = event_numbers()["container_json_2_e"]
_NOTIFY = event_numbers()["notification_e"]
_RUN_MARK = b"package-hunter.run\0"  # as writer.RUNS_ID
_MAX_RUNS = 10_000
_ROUND_MARK = b"package-hunter.round\0"  # as writer.ROUND_ID
_CLOSING_MARK = b"package-hunter.closing\0"  # as writer.CLOSING_ID
MAX_ROUND = 64 << 20  # bytes of a round's facts, packed; of a scan's as well
_OLDER = frozenset(number.to_bytes(2, "little") for number in older.OLDER)
_NOTIFICATION = frozenset(
    n for n, i in event_table().items() if i.key in ("notification_e", "infrastructure_event_e")
)


class _Bytes:
    """A file's bytes, plain or out of gzip (several members too); ``cut``: the gzip stream has no end."""

    def __init__(self, raw: IO[bytes], head: bytes, zipped: bool) -> None:
        self._raw = raw
        self._in = head
        self._zip: Any = zlib.decompressobj(31) if zipped else None
        self._have = bytearray()
        self.cut = False

    def read(self, size: int) -> bytes:
        """``size`` bytes, fewer at the file's end. RecordingError where the bytes cannot be decompressed."""
        have = self._have
        while len(have) < size and self._more(size):
            pass
        data = bytes(have[:size])
        del have[:size]
        return data

    def _more(self, size: int) -> bool:
        chunk = self._in or self._raw.read(_CHUNK)
        self._in = b""
        if self._zip is None:
            self._have += chunk
            return bool(chunk)
        if self._zip.eof:
            if not chunk or not chunk.startswith(b"\x1f"):
                return False
            self._zip = zlib.decompressobj(31)
        elif not chunk:
            self.cut = True
            return False
        try:
            self._have += self._zip.decompress(chunk, max(size, _CHUNK))
        except zlib.error as error:
            raise RecordingError(f"The recording cannot be decompressed: {error}.", DAMAGED) from None
        self._in = self._zip.unused_data or self._zip.unconsumed_tail
        return True


class ScapReader:
    """A recording.

        with ScapReader(path) as recording:
            for section in recording.sections():
                start = section.start
                for raw, cpu in section.events: ...

    ``truncated`` is True after the last event where the file ends in the middle (a crash while recording):
    all that was flushed was given. ``ours`` are the facts that our own recordings carry; ``runs`` the commands that
    ran in the box, known after the last event of a scan that came to its end, and so is ``round``: what a whole
    judgement needs beside the events, packed (empty: it is not there, or not whole), and ``closing``: what the whole
    scan says at its end, in the same way. A file that holds several recordings one behind the other has as many
    sections; ``start`` is that of the first.
    """

    def __init__(self, source: Path | IO[bytes]) -> None:
        """Opens and reads the tables. RecordingError where it is no recording."""
        self._raw = _opened(source) if isinstance(source, Path) else source
        self.truncated = False
        self.ours: dict[str, Any] = {}
        self.runs: list[CommandRun] = []
        self._packed: dict[bytes, bytearray | None] = {_ROUND_MARK: bytearray(), _CLOSING_MARK: bytearray()}
        self._next: tuple[int, bytes] | None = None
        try:
            self.start = self._opened()
        except BaseException:
            self._raw.close()  # nobody has it yet who could
            raise

    def _opened(self) -> StartState:
        head = self._raw.read(2)
        self._file = _Bytes(self._raw, head, zipped=head == b"\x1f\x8b")
        first = self._block()
        if first is None or first[0] != blocks.SECTION:
            raise RecordingError(
                "This is no .scap recording.", "Give a file that Falco, sysdig or --record wrote."
            )
        return self._section(first[1])

    def __enter__(self) -> ScapReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def round(self) -> bytes:
        """See above."""
        return bytes(self._packed[_ROUND_MARK] or b"")

    @property
    def closing(self) -> bytes:
        """See above."""
        return bytes(self._packed[_CLOSING_MARK] or b"")

    def close(self) -> None:
        """Closes the file."""
        self._raw.close()

    def _block(self) -> tuple[int, bytes] | None:
        """The next block's type and data; None at the end."""
        if self._next is not None:
            block, self._next = self._next, None
            return block
        head = self._file.read(8)
        if len(head) < 8:
            self.truncated = self.truncated or self._file.cut or bool(head)
            return None
        type_, size = blocks.HEAD.unpack(head)
        limit = blocks.MAX_EVENT if type_ in blocks.EVENTS else blocks.MAX_TABLE
        if size < 12 or size > limit:
            raise RecordingError(f"The recording holds a block of {size} bytes, which cannot be.", DAMAGED)
        data = self._file.read(size - 8)
        if len(data) < size - 8:
            self.truncated = True
            return None
        if type_ in blocks.EVENTS:
            return type_, data
        if int.from_bytes(data[-4:], "little") != size:
            raise RecordingError("A block of the recording does not end where it should.", DAMAGED)
        return type_, data[:-4]

    def _section(self, data: bytes) -> StartState:
        """The tables of a section, up to its first event."""
        if len(data) < 16 or int.from_bytes(data[:4], "little") != blocks.BYTE_ORDER:
            raise RecordingError("The recording is of a machine of the other byte order.", "Read it there.")
        if int.from_bytes(data[4:6], "little") > 1:
            raise RecordingError("The recording's format is newer than this program.", "Use a newer one.")
        state, processes = StartState(), list[ProcEntry]()
        fds: dict[int, list[FdEntry]] = {}
        while (block := self._block()) is not None:
            type_, data = block
            if type_ in blocks.EVENTS or type_ == blocks.SECTION:
                self._next = block
                break
            if type_ in blocks.PROCESSES:
                processes += tables.read_processes(data, blocks.PROCESSES[type_])
            elif type_ in blocks.FDS:
                tid, found = tables.read_fds(data, blocks.FDS[type_])
                fds.setdefault(tid, []).extend(found)
            else:
                state = self._table(state, type_, data)
        return replace(
            state,
            processes=tuple(replace(p, fds=tuple(fds[p.tid])) if p.tid in fds else p for p in processes),
        )

    def _table(self, state: StartState, type_: int, data: bytes) -> StartState:
        if type_ in blocks.MACHINE:
            name, boot = tables.read_machine(data)
            return replace(state, hostname=name, boot_ns=boot)
        if type_ in blocks.USERS:
            users, groups = tables.read_users(data, blocks.USERS[type_])
            return replace(state, users=users, groups=groups)
        if type_ in blocks.INTERFACES:
            return replace(state, interfaces=tables.read_interfaces(data, blocks.INTERFACES[type_]))
        if type_ == blocks.OURS:
            self.ours = _facts(data)
            box = self.ours.get("container")
            if isinstance(box, dict):
                return replace(state, container=_container(box))
        return state

    def _is_note(self, raw: bytes) -> bool:
        """Whether an event is none of the box's: what ScapWriter wrote for others' eyes (``start.container`` says
        it already), or a command that ran."""
        number = int.from_bytes(raw[20:22], "little")
        if number == _CONTAINER:
            return True
        if number != _NOTIFY:
            return False
        mark = next((m for m in self._packed if raw.startswith(m, HEADER.size + 4)), None)
        if mark is not None:
            self._take(mark, raw)
            return True
        if not raw.startswith(_RUN_MARK, HEADER.size + 4):
            return False
        run = _run(raw)
        if run is not None and len(self.runs) < _MAX_RUNS:
            self.runs.append(run)
        return True

    def _take(self, mark: bytes, raw: bytes) -> None:
        """A piece of what is packed under that mark; one that is none spoils them all."""
        known = self._packed[mark]
        if known is None:
            return
        try:
            known += base64.b64decode(raw[HEADER.size + 4 + len(mark) :].rstrip(b"\0"), validate=True)
        except ValueError:
            self._packed[mark] = None
            return
        if len(known) > MAX_ROUND:
            self._packed[mark] = None

    def sections(self) -> Iterator[Section]:
        """The recording's sections, in their order; what was not read of one is passed over."""
        start: StartState | None = self.start
        while start is not None:
            yield Section(start, self._events())
            start = self._following()

    def __iter__(self) -> Iterator[RawEvent]:
        """The events of all sections in their order, for whom the tables between them do not matter."""
        for section in self.sections():
            yield from section.events

    def _following(self) -> StartState | None:
        """The next section's tables; None where there is none."""
        while (block := self._block()) is not None:
            type_, data = block
            if type_ == blocks.SECTION:
                return self._section(data)
        return None

    def _events(self) -> Iterator[RawEvent]:
        """Events as ``(raw bytes, cpu)`` in their order, up to the next section."""
        while (block := self._block()) is not None:
            type_, data = block
            shape = blocks.EVENTS.get(type_)
            if shape is not None:
                has_flags, has_count = shape
                start = 6 if has_flags else 2
                raw = data[start:-4]
                raw = raw[: int.from_bytes(raw[16:20], "little")]  # without the padding
                if not has_count:
                    raw = _with_count(data[start:-4])
                if self.ours and self._is_note(raw):
                    continue
                if raw[20:22] in _OLDER:
                    raw = older.restore(raw)
                yield raw, data[0] | data[1] << 8
            elif type_ == blocks.SECTION:
                self._next = block
                return


def _opened(path: Path) -> IO[bytes]:
    try:
        return given.open_file(path)
    except given.NotAFileError as error:
        raise RecordingError(
            f"{path} is no .scap recording: {error.strerror}.",
            "Give a file that Falco, sysdig or --record wrote.",
        ) from None


def _run(raw: bytes) -> CommandRun | None:
    """A command that ran, from the note that append_runs wrote; None where it makes no sense."""
    _, _, text = raw[HEADER.size + 4 :].partition(_RUN_MARK)
    try:
        facts = json.loads(text.rstrip(b"\0"))
        phase, pid, started, ended = (facts[key] for key in ("phase", "pid", "started", "ended"))
        purl, script = facts.get("purl"), facts.get("script")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(n, int) for n in (pid, started, ended)) or not isinstance(phase, str):
        return None
    if not all(word is None or isinstance(word, str) for word in (purl, script)):
        return None
    command = Command((), "", blame_purl=purl, script=script)
    return CommandRun(phase, "default", command, pid, started, ended, None)


def _facts(data: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(data.rstrip(b"\0"))
    except (ValueError, RecursionError):
        raise RecordingError("The recording's own facts cannot be read.", DAMAGED) from None
    return facts if isinstance(facts, dict) else {}


def _container(box: dict[str, Any]) -> ContainerInfo:
    text = {k: str(box.get(k, "")) for k in ("id", "name", "image_repository", "image_tag", "type")}
    text.update({k: str(box.get(k, "")) for k in ("full_id", "ip")})
    return replace(ContainerInfo("", "", ""), **text, privileged=bool(box.get("privileged")))


def _with_count(raw: bytes) -> bytes:
    """An event of a first-version block: the number of parameters is worked out from its length."""
    if len(raw) < _V1_HEADER:
        return raw
    size, number = int.from_bytes(raw[16:20], "little"), int.from_bytes(raw[20:22], "little")
    info = event_table().get(number)
    if number in _NOTIFICATION:
        size -= 3
    if info is None or size > len(raw) or size < _V1_HEADER:
        return raw
    for count in range(len(info.params), -1, -1):
        end = _V1_HEADER + 2 * count
        if end > size:
            continue
        lengths = (raw[_V1_HEADER + 2 * i] | raw[_V1_HEADER + 2 * i + 1] << 8 for i in range(count))
        if end + sum(lengths) == size:
            ts, tid = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
            return HEADER.pack(ts, tid, size + 4, number, count) + raw[_V1_HEADER:size]
    return raw
