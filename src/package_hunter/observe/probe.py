"""A box watched by our own probe: its events go through a ring to a reader of the box's own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from package_hunter.model.box import BOX_V4, BOX_V6, HOME, HOST_ID_BASE, BoxSpec, full_container_id
from package_hunter.model.scan import CommandRun
from package_hunter.model.table import ContainerInfo, StartState
from package_hunter.observe.events import Scope, wanted_events, wanted_failures, wanted_opens, without_own
from package_hunter.observe.reader import Observer, ReaderSpec
from package_hunter.observe.recorded import RecordedBox
from package_hunter.observe.watcher import WatchResult, WatchSpec
from package_hunter.rules import Matcher
from package_hunter.sandbox import RuncSandbox
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe, ScanSensor, inode_prefix
from package_hunter.sensor.scap import append_runs
from package_hunter.sensor.state import inodes, start_state
from package_hunter.sensor.stats import Stats
from package_hunter.sensor.table import full_events


class ProbeWatcher:
    """The probe as a Watcher. ``rules`` judge the events, and say which of them have to leave the kernel; a
    recording gets all that Falco's own would hold."""

    _sensor: ScanSensor
    _box: RuncSandbox
    _inodes: Mapping[tuple[int, int], str]
    _reader: Observer

    def __init__(self, spec: WatchSpec, rules: Matcher) -> None:
        self._spec, self._rules = spec, rules
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> ProbeWatcher:
        with contextlib.ExitStack() as undo:
            probe = undo.enter_context(Probe(object_path(), shared=True))
            probe.attach()
            wanted = full_events() if self._spec.record else wanted_events(self._rules)
            self._sensor = probe.open_scan(self._spec.ring_bytes, wanted)
            undo.callback(self._sensor.close)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def attach(self, box: RuncSandbox) -> None:
        """See Watcher: the events of the box's first process, and of all that comes from it, are the scan's."""
        self._box = box
        self._inodes = inodes(box.init_pid, self._spec.canaries)
        if not self._spec.record:
            opens = wanted_opens(self._rules, self._spec.canaries)
            if opens is not None:
                opens += [inode_prefix(number) for _, number in self._inodes]
            self._sensor.set_filter(wanted_events(self._rules), opens, wanted_failures(self._rules))
        self._sensor.register(box.init_pid)

    @contextlib.contextmanager
    def begin(self) -> Iterator[None]:
        """See Watcher: the reader drains the ring."""
        self._reader = Observer(self._sensor, self._rules, self._box.cgroup_paths)
        try:
            self._reader.start(self._reader_spec())
            self._box.need(self._reader.pidfd, "event reader", only_killed=True)
            yield
        finally:
            self._reader.abort()

    def confirm(self) -> None:
        """See Watcher: a probe that is attached needs no proof."""

    def finish(self, runs: Sequence[CommandRun]) -> WatchResult:
        """See Watcher: the reader drains what is left, and the kernel says what it could not write."""
        observation, failed = self._reader.finish()
        if self._spec.record is not None and observation.recorded:
            append_runs(self._spec.record, runs)
        stats = self._sensor.stats()
        return WatchResult(
            without_own(observation, self._box.init_pid, self._spec.driver),
            (*([failed] if failed else ()), *_losses(stats)),
            dropped=stats.lost + stats.orphans,
            filtered={name: count for name, count in sorted(stats.filtered.items()) if count},
            fault=failed if self._reader.killed else "",
        )

    def _reader_spec(self) -> ReaderSpec:
        spec, box = self._spec, self._box
        recorded = RecordedBox(box.init_pid, spec.driver, spec.canaries, spec.fetches_alone, self._inodes)
        facts = {"scan": spec.scan_id, "target": spec.target, **recorded.facts()}
        state = _start_state(spec.box, box.init_pid, self._sensor)
        scope = Scope(spec.canaries, self._inodes, spec.max_alerts, spec.max_records)
        return ReaderSpec(state, spec.names, scope, spec.record, facts)


def _losses(stats: Stats) -> Iterator[str]:
    if stats.lost:
        yield stats.loss()
    if stats.orphans:
        yield f"{stats.orphans} processes could not be followed."


def _start_state(spec: BoxSpec, init_pid: int, sensor: ScanSensor) -> StartState:
    """What is known before the first event: the box's first process, users, addresses, container."""
    dev = HOST_ID_BASE + 1000
    state = start_state(
        init_pid,
        boot_ns=sensor.boot_ns,
        container=ContainerInfo(
            id=full_container_id(spec.scan_id)[:12],
            name=spec.container_name,
            image_repository=f"package-hunter/{spec.project_name}",
            full_id=full_container_id(spec.scan_id),
            ip=BOX_V4,
        ),
        users={HOST_ID_BASE: ("root", "/root", "/bin/bash"), dev: ("dev", HOME, "/bin/bash")},
        groups={HOST_ID_BASE: "root", dev: "dev"},
        hostname=spec.hostname,
    )
    local = (
        socket.inet_pton(socket.AF_INET, BOX_V4),
        socket.inet_pton(socket.AF_INET6, BOX_V6),
        socket.inet_aton("127.0.0.1"),
        socket.inet_pton(socket.AF_INET6, "::1"),
    )
    return replace(state, interfaces=local)
