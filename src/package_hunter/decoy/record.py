"""What the gateway saw, written line by line so that it outlives a killed gateway, and read by the worker.

Each line is a JSON array ``[kind, values...]``, the values in the order of the dataclass's fields (bytes as
base64 behind a ``"\\u0000b"``). The reader trusts nothing: what the gateway handled came out of a box.
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
    Fetched,
    NetworkLog,
    Request,
)
from package_hunter.model.text import all_well_formed

_KINDS: dict[str, type[Any]] = {
    "dns": DnsRecord,
    "connection": Connection,
    "request": Request,
    "hit": CanaryHit,
    "mark": DecoyMark,
    "fetched": Fetched,
}
_FIELDS = {
    kind: tuple(f.name for f in dataclasses.fields(cls) if f.name != "blame") for kind, cls in _KINDS.items()
}
_BYTES = "\0b"
_MAX_LINE = 1 << 20


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return _BYTES + base64.b64encode(value).decode()
    return value


class Recorder:
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
        values = [_plain(getattr(record, name)) for name in _FIELDS[kind]]
        self._write(json.dumps([kind, *values], separators=(",", ":"), default=dict).encode("ascii") + b"\n")

    def count_cut(self, kind: str, amount: int = 1) -> None:
        """A limit held: ``kind`` says which."""
        self.cut[kind] += amount
        self.write_cut()

    def write_cut(self, force: bool = False) -> None:
        """What was cut so far; seldom, a flood must not fill the log with it."""
        total = self.cut.total()
        if total and (force or total >= 2 * self._cut_written):
            self._cut_written = total
            self._write(json.dumps(["cut", dict(self.cut)]).encode() + b"\n")

    def close(self) -> None:
        self.write_cut(force=True)
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        self._left -= len(line)
        os.write(self._fd, line)


def now() -> int:
    """ns since the epoch."""
    return time.time_ns()


_CHECKS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "bytes": bytes,
    "str | None": (str, type(None)),
}


def _value(spec: str, value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_BYTES):
        value = base64.b64decode(value[2:], validate=True)
    if spec == "tuple[tuple[str, str], ...]":
        return tuple((_text(name), _text(text)) for name, text in value)
    if spec == "tuple[str, ...]":
        return tuple(_text(item) for item in value)
    if spec == "Mapping[str, Any]":
        if not isinstance(value, dict):
            raise TypeError(spec)
        return value
    if not isinstance(value, _CHECKS[spec]):
        raise TypeError(spec)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


_TYPES = {kind: {f.name: str(f.type) for f in dataclasses.fields(cls)} for kind, cls in _KINDS.items()}


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


def read_log(path: Path, limits: Limits | None = None) -> NetworkLog:
    """The log, in the order of time; broken lines and what is over the limits is counted in ``cut``."""
    limits = limits or Limits()
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    cut: Counter[str] = Counter()
    written: dict[str, int] = {}
    for line in _lines(path, limits.log_bytes * 2):
        try:
            kind, *values = json.loads(line)
            if kind == "cut":
                written = {_text(k): int(v) for k, v in values[0].items()}
                continue
            types = _TYPES[kind]
            names = _FIELDS[kind]
            if len(values) != len(names):
                raise ValueError("wrong number of values")
            fields = {
                name: all_well_formed(_value(types[name], value))
                for name, value in zip(names, values, strict=True)
            }
            if len(found[kind]) >= limits.records:
                cut[f"{kind}_records"] += 1
                continue
            found[kind].append(_KINDS[kind](**fields))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, IndexError, OverflowError):
            cut["broken_lines"] += 1
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
