"""What the gateway saw, written line by line so that it outlives a killed gateway, and read by the worker.

Each line is a record's kind, a space and the record as ``model.wire`` has it. The reader trusts nothing: what the
gateway handled came out of a box. The gateway itself writes with the standard library alone: to load pydantic would
cost each box a third of its gateway's start.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from package_hunter.decoy.spec import Limits
from package_hunter.model.observation import (
    CanaryHit,
    Connection,
    DecoyMark,
    DnsRecord,
    NetworkLog,
    OutsideFetch,
    Request,
)
from package_hunter.model.text import all_well_formed

_KINDS: dict[str, type[Any]] = {
    "dns": DnsRecord,
    "connection": Connection,
    "request": Request,
    "hit": CanaryHit,
    "mark": DecoyMark,
    "fetched": OutsideFetch,
}
_FIELDS = {
    kind: tuple(f.name for f in dataclasses.fields(cls) if f.name != "blame") for kind, cls in _KINDS.items()
}
_MAX_LINE = 1 << 20
_SURROGATE = "\\ud"


def _plain(value: object) -> object:
    return base64.urlsafe_b64encode(value).decode() if isinstance(value, bytes) else value


_json = json.JSONEncoder(separators=(",", ":"), default=dict).encode


def _line(kind: str, values: dict[str, object]) -> bytes:
    text = _json([values])
    if _SURROGATE in text:  # what is no text is to be no broken line, either
        text = _json([all_well_formed(values)])
    return f"{kind} {text}\n".encode("ascii")


class NetworkRecorder:
    """Appends records to the log file; limits hold by kind, what they leave out is counted."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._limits = limits
        self._counts: Counter[str] = Counter()
        self._left = limits.log_bytes
        self.cut: Counter[str] = Counter()
        self._cut_written = 0

    def __call__(self, kind: str, record: object) -> None:
        """Write one record (a value of the kind's dataclass)."""
        self._counts[kind] += 1
        proof = kind in ("hit", "mark")  # a flood of questions must not push out the proof
        if self._counts[kind] > self._limits.records or (self._left <= 0 and not proof):
            self.cut[f"{kind}_records"] += 1
            self.write_cut()
            return
        self._write(_line(kind, {name: _plain(getattr(record, name)) for name in _FIELDS[kind]}))

    def count_cut(self, kind: str, amount: int = 1) -> None:
        """A limit held: ``kind`` says which."""
        self.cut[kind] += amount
        self.write_cut()

    def write_cut(self, force: bool = False) -> None:
        """What was cut so far; seldom, a flood must not fill the log with it."""
        total = self.cut.total()
        if total and (force or total >= 2 * self._cut_written):
            self._cut_written = total
            self._write(_line("cut", dict(self.cut)))

    def close(self) -> None:
        self.write_cut(force=True)
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        self._left -= len(line)
        os.write(self._fd, line)


def now() -> int:
    """ns since the epoch."""
    return time.time_ns()


def _lines(path: Path, limit: int) -> Iterator[bytes]:
    """Lines of the gateway's own file. Its folder is the gateway's: what lies there may be no file at all."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # it never began
    except OSError:
        yield b"no log"
        return
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            yield b"no log"
            return
        read = 0
        while read < limit and (line := file.readline(_MAX_LINE)):
            read += len(line)
            yield line


def _read(line: bytes) -> tuple[str, Any]:
    """The record of a line and its kind; ValueError where it is none."""
    from package_hunter.model import wire  # the worker's: see above

    word, _, data = line.partition(b" ")
    kind = word.decode("ascii")
    if kind == "cut":
        return kind, wire.from_bytes(dict[str, int], data)
    if kind not in _KINDS:
        raise ValueError("no kind of record")
    record = wire.from_bytes(_KINDS[kind], data)
    if getattr(record, "blame", None) is not None:
        raise ValueError("the gateway knows of no process")
    return kind, record


def read_log(path: Path, limits: Limits | None = None) -> NetworkLog:
    """The log, in the order of time; broken lines and what is over the limits is counted in ``cut``."""
    limits = limits or Limits()
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    cut: Counter[str] = Counter()
    written: dict[str, int] = {}
    for line in _lines(path, limits.log_bytes * 2):
        try:
            kind, value = _read(line)
        except ValueError:
            cut["broken_lines"] += 1
            continue
        if kind == "cut":
            written = value
        elif len(found[kind]) >= limits.records:
            cut[f"{kind}_records"] += 1
        else:
            found[kind].append(value)
    cut.update(written)
    for records in found.values():
        records.sort(key=lambda record: record.time_ns)
    return NetworkLog(
        tuple(found["dns"]),
        tuple(found["connection"]),
        tuple(found["request"]),
        tuple(found["hit"]),
        tuple(found["mark"]),
        dict(cut),
        tuple(found["fetched"]),
    )
