"""A box watched by a running Falco, in place of our own probe."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType

from package_hunter.model.observation import Observation
from package_hunter.model.scan import Command, CommandRun
from package_hunter.observe.events import without_own
from package_hunter.observe.watcher import WatchResult, WatchSpec
from package_hunter.rules import builtin_files
from package_hunter.sandbox import RuncSandbox
from package_hunter.sensor.falco import MARKED, Box, FalcoWatch, open_source
from package_hunter.stopping import breakable

_MARK_SECONDS = 10.0
_LAST_MARK_SECONDS = 30.0
_DROP_CHECK_SECONDS = 1.1  # Falco looks for lost events once a second, when an event comes
NOTE = (
    "Falco was the engine: alerts are those of its rules, and what raised none is not known. There is no record "
    "of processes, files and connections beyond the alerts, of reads of canaries, or of events; what left the "
    "box was searched for canaries all the same."
)


class FalcoWatcher:
    """Falco as a Watcher. ``place`` says where its alerts come from (PACKAGE_HUNTER_FALCO), ``wait`` how many
    seconds its first word may take; ``say`` takes words of progress."""

    _watch: FalcoWatch
    _box: RuncSandbox
    _first: CommandRun

    def __init__(self, spec: WatchSpec, place: str | None, wait: float, say: Callable[[str], None]) -> None:
        self._spec, self._place, self._wait, self._say = spec, place, wait, say

    def __enter__(self) -> FalcoWatcher:
        source = open_source(self._place)
        self._watch = FalcoWatch(source, Box(self._spec.box.scan_id), self._spec.max_alerts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass  # Falco is not ours to end

    def attach(self, box: RuncSandbox) -> None:
        """See Watcher: Falco knows the box by the name of its cgroup."""
        self._box = box

    @contextlib.contextmanager
    def begin(self) -> Iterator[None]:
        """See Watcher: alerts are taken."""
        self._watch.start()
        try:
            yield
        finally:
            self._watch.stop()

    def confirm(self) -> None:
        """See Watcher: a command of ours in the box, the mark, has to raise an alert that names the box."""
        self._say("Waiting for Falco")
        mark = self._watch.new_mark()
        self._first = self._box.run(Command((MARKED, mark), "/", timeout=_MARK_SECONDS), "mark")
        with breakable():
            self._watch.require(mark, self._wait)

    def finish(self, runs: Sequence[CommandRun]) -> WatchResult:
        """See Watcher: waits until Falco has said all."""
        silence = _last_words(self._watch)
        self._watch.stop()
        return WatchResult(
            _of_the_phases(self._watch.observation(), self._first, self._box.init_pid, self._spec.driver),
            (*silence, *self._watch.reasons(), *_without_our_rules(self._watch)),
            dropped=self._watch.dropped,
            by_falco=True,
        )


def _last_words(watch: FalcoWatch) -> list[str]:
    """Waits until Falco has said all of a box that is gone; a sentence where it has not.

    Outputs come in order, so a mark (made on the host now) comes after all alerts of the box; the second one
    makes Falco look for events that it lost in the last second.
    """
    for pause in (_DROP_CHECK_SECONDS, 0.0):
        mark = watch.new_mark()
        subprocess.run(["true", mark], check=True)
        with breakable():
            heard = watch.wait(mark, _LAST_MARK_SECONDS)
        if heard is None:
            return [
                f"Falco did not answer within {_LAST_MARK_SECONDS:g} s at the end: alerts may be missing."
            ]
        with breakable():
            time.sleep(pause)
    return []


def _without_our_rules(watch: FalcoWatch) -> list[str]:
    """A sentence where Falco judges by other rules than ours alone."""
    if watch.has_our_rules:
        return []
    return [
        "Falco has not loaded the rules of Package Hunter: what only they look for was not seen. "
        f"Add {', '.join(map(str, builtin_files()))} to rules_files in falco.yaml (or put a copy into "
        "/etc/falco/rules.d), with priority: debug and rule_matching: all."
    ]


def _of_the_phases(seen: Observation, first: CommandRun, init_pid: int, driver: str) -> Observation:
    """Without what is ours: the mark, what was before it, and the box's first process."""
    alerts = tuple(a for a in seen.alerts if a.time_ns >= first.started_ns and a.pid != first.pid)
    processes = tuple(p for p in seen.processes if p.pid != first.pid)
    left = replace(seen, alerts=alerts, processes=processes, notes=(*seen.notes, NOTE))
    return without_own(left, init_pid, driver)
