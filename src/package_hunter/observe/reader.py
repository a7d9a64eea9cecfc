"""The event reader of one scan: a process of its own, without rights, that drains the ring, judges each event
and hands back what was seen. It is apart from the gateway, so a noisy scan can drown only itself."""

from __future__ import annotations

import gc
import os
import select
import signal
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from resource import struct_rusage
from typing import IO, Any

from package_hunter import ended
from package_hunter.confine import ProcessLimits, confine
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.preload import load_tables
from package_hunter.model import wire
from package_hunter.model.observation import Observation
from package_hunter.model.table import RawEvent, Section, StartState
from package_hunter.observe.events import Scope, observe
from package_hunter.rules import Matcher
from package_hunter.sandbox import CgroupPaths
from package_hunter.sensor.freezer import Feed, Freezer, take_priority
from package_hunter.sensor.live import ScanSensor
from package_hunter.sensor.ring import Ring
from package_hunter.sensor.scap import ScapWriter
from package_hunter.stopping import breakable

_MAX_RESULT_BYTES = 512 << 20
_NO_MEMORY = b"MemoryError: this scan makes it need more than it may have"
_MAX_MEMORY_BYTES = (
    2 << 30
)  # of the reader: a scan that makes it need more is inconclusive, and the host lives


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """What a reader is to do. ``names`` is the gateway's table of addresses; ``record`` is where the recording
    goes, ``facts`` what it says of the scan."""

    state: StartState
    names: Path
    scope: Scope = field(default_factory=Scope)
    record: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Observer:
    """Starts the reader with ``start``, ends it with ``finish``."""

    def __init__(self, sensor: ScanSensor, matcher: Matcher, groups: CgroupPaths) -> None:
        self._sensor, self._matcher, self._groups = sensor, matcher, groups
        self._pid: int | None = None
        self._done = -1
        self.usage: struct_rusage | None = None  # what the reader cost, once it has finished
        self._result: IO[bytes] | None = None
        self.killed = False  # from outside: its own limits end it otherwise
        self.pidfd = -1  # of the reader, while it runs

    def start(self, spec: ReaderSpec) -> None:
        """Fork the reader; it drains from now on."""
        wire.ready(Observation)
        load_tables()
        done, self._done = os.pipe()
        # in memory, where it comes to be anyhow: a full disk must not cost what was seen
        self._result = os.fdopen(os.memfd_create("observation"), "w+b")
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                os.close(self._done)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker ends us through the pipe
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self._read(done, spec)
                status = 0
            except MemoryError:  # nothing may be asked for now
                os.write(self._result.fileno(), _NO_MEMORY)
            except BaseException:
                self._result.write(traceback.format_exc().encode()[-4000:])
                self._result.flush()
            finally:
                os._exit(status)
        os.close(done)
        self.pidfd = os.pidfd_open(self._pid)

    def _read(self, done: int, spec: ReaderSpec) -> None:
        assert self._result is not None
        ring = Ring(self._sensor.ring_fd, self._sensor.ring_bytes)
        freezer = Freezer(self._groups.freezer or self._groups.unified or self._groups.procs)
        table_file = open(spec.names, "rb", opener=_not_a_link)  # noqa: SIM115 (the reader's, until it ends)
        keep = [ring.fd, freezer.fd, done, self._result.fileno(), table_file.fileno()]
        sink = None
        if spec.record is not None:
            recording = spec.record.open("wb")
            keep.append(recording.fileno())
            sink = ScapWriter(recording, spec.state, dict(spec.facts))
        gc.freeze()  # what is there now stays: looking at it again and again would copy the worker's memory
        take_priority()
        confine("reader", keep_fds=keep, limits=ProcessLimits(memory_bytes=_MAX_MEMORY_BYTES))
        os.set_blocking(done, False)
        ring.wake_by(done)
        try:
            seen = observe(
                [Section(spec.state, _events(Feed(ring, freezer), done, sink))],
                self._matcher,
                spec.scope,
                names=NameTable(table_file),
                sink=sink,
            )
        finally:
            freezer.thaw()  # a reader that fails leaves no box standing still
        if sink is not None:
            sink.close()
            if sink.failed:
                note = f"The recording ends after {sink.events} events or before: {sink.failed}."
                seen = replace(seen, notes=(*seen.notes, note))
            seen = replace(seen, recorded=not sink.failed)
        self._result.write(wire.to_bytes(Observation, replace(seen, frozen_seconds=freezer.seconds)))
        self._result.flush()

    def finish(self) -> tuple[Observation, str]:
        """Let the reader drain what is left; what it saw, and a sentence where it failed (else "")."""
        if self._pid is None or self._result is None:
            return Observation(), "The event reader never started."
        os.close(self._done)
        self._done = -1
        with breakable():
            select.select([self.pidfd], [], [])
        _, status, self.usage = os.wait4(self._pid, 0)
        self._forget()
        self.killed = ended.from_outside(os.waitstatus_to_exitcode(status))
        with self._result as file:
            file.seek(0)
            data = file.read(_MAX_RESULT_BYTES + 1)
        if status != 0 or len(data) > _MAX_RESULT_BYTES:
            last = data[-300:].decode(errors="replace").strip().splitlines()[-1:] or [
                f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "no word of why"
            ]
            return (
                Observation(),
                f"The event reader ended unexpectedly ({last[0]}): nothing that it saw is known.",
            )
        try:
            seen: Observation = wire.from_bytes(Observation, data)
        except ValueError:
            return Observation(), "The event reader's answer cannot be read: nothing that it saw is known."
        return seen, ""

    def abort(self) -> None:
        """End the reader without asking what it saw; may be called at any time."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._forget()
        if self._done >= 0:
            os.close(self._done)
            self._done = -1
        if self._result is not None:
            self._result.close()

    def _forget(self) -> None:
        self._pid = None
        os.close(self.pidfd)
        self.pidfd = -1


def _not_a_link(path: str, flags: int) -> int:
    """The names lie in the gateway's folder, which is not root's."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _events(feed: Feed, done: int, sink: ScapWriter | None) -> Iterator[RawEvent]:
    """Events until the other end of ``done`` is closed and the ring is empty."""
    ended = False
    while True:
        events = feed.read(0.1)  # the probe wakes us where there is much
        for cpu, raw in events:
            yield raw, cpu
        if sink is not None and not events:
            sink.idle()
        if ended and not events:
            return
        if not ended:
            try:
                ended = os.read(done, 1) == b""
            except BlockingIOError:
                ended = False
