"""Events in, what was seen out: decode, enrich, match, record. Live scans and replays take the same way.

matcher = compile_rules(load_rules(files))            # matcher.event_types: what the probe has to report
observation = observe([Section(start, events)], matcher, Scope(canaries={...}), names=NameTable(path))
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fields.source import Fields
from package_hunter.enrich.handlers.files import asked_name
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.record import FAILING, NEEDED, BehaviourRecorder
from package_hunter.model.event import Extra, event_numbers
from package_hunter.model.observation import Alert, Observation
from package_hunter.model.table import Section, StartState
from package_hunter.rules import Matcher, Rule, RuleSet, compile_matcher

_TAMPERED = "System call argument changed while the call ran"
_FOREIGN = "System call through a foreign entry"
_MAX_SELF_ALERTS = 1000
_NOTIFICATION = event_numbers()["notification_e"]
_NAMES_ID = "package-hunter.name"  # as sensor.scap writes them


class Sink(Protocol):
    """Where raw events are recorded (sensor.scap.ScapWriter)."""

    def append(self, raw: bytes, cpu: int) -> None:
        """Takes one event."""
        ...

    def learn(self, pairs: list[tuple[str, str]]) -> None:
        """Takes names that the events after it may need."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked for, and how much is kept. ``canaries`` maps paths in the box to canary ids, ``inodes``
    (device, inode) likewise."""

    canaries: Mapping[str, str] = field(default_factory=dict)
    inodes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    max_alerts: int = 10_000
    max_records: int = 100_000


def compile_rules(
    ruleset: RuleSet, matching: str = "all", constants: dict[str, Any] | None = None
) -> Matcher:
    """The rules, ready for events. ``constants``: fields with one value on every event."""
    return compile_matcher(ruleset, Fields(constants), matching)


def wanted_events(matcher: Matcher) -> frozenset[int]:
    """What the probe has to report: what rules can match, and what the record needs."""
    return matcher.event_types | NEEDED


def wanted_failures(matcher: Matcher) -> frozenset[int]:
    """Of which of them calls that failed too: all that a rule asks for; the rest is kept for what it changed."""
    return matcher.event_types | FAILING


def wanted_opens(matcher: Matcher, canaries: Iterable[str] = ()) -> list[bytes] | None:
    """Beginnings of the paths and names of the files whose opening for reading the probe has to report; None:
    of every file. ``canaries`` are paths whose reading the record is to tell."""
    if matcher.open_prefixes is None:
        return None
    return [os.fsencode(p) for p in sorted({*matcher.open_prefixes, *canaries})]


def observe(
    source: Iterable[Section],
    matcher: Matcher,
    scope: Scope | None = None,
    *,
    names: NameTable | None = None,
    sink: Sink | None = None,
    on_alert: Callable[[Alert], None] | None = None,
) -> Observation:
    """Judges every event of ``source`` and says what was seen.

    ``sink`` records each event as it came. ``on_alert`` hears of alerts at once, also of those beyond the
    scope's ``max_alerts``.
    """
    scope = scope or Scope()
    enricher = Enricher(StartState(), names)
    recorder = BehaviourRecorder(scope.canaries, scope.inodes, scope.max_records)
    log = _Log(matcher, scope.max_alerts, on_alert)
    feed, matches, record = enricher.feed, matcher.matches, recorder.add
    events = 0
    for section in source:
        enricher.restart(section.start)
        for raw, cpu in section.events:
            events += 1
            ev = feed(raw, cpu)
            if ev is not None:
                if ev.type == _NOTIFICATION and ev.text(0) == _NAMES_ID:
                    # our own note in a recording: no event of the scan, and not counted as one
                    _learn(names, ev)
                    enricher.state.num, events = enricher.state.num - 1, events - 1
                    continue
                found = matches(ev)
                for rule in found:
                    log.add(matcher.alert(rule, ev))
                if ev.path_ and (asked := asked_name(ev)) is not None:
                    log.add_asked(ev, asked, found)
                record(ev)
                if ev.at[-1] < len(raw) or ev.nparams > len(ev.kind.params):
                    log.own(ev)
            if sink is not None:
                if names is not None and names.fresh:
                    sink.learn(names.fresh)
                    names.fresh = []
                sink.append(raw, cpu)
    cut = log.cut + recorder.cut
    observation = Observation(
        alerts=tuple(log.alerts),
        processes=recorder.processes(),
        files=recorder.files(),
        sockets=recorder.sockets(),
        canary_reads=recorder.reads(),
        events=events,
        cut=dict(cut),
    )
    return replace(observation, notes=_notes(enricher.counts))


def without_own(observation: Observation, init_pid: int, driver: str) -> Observation:
    """What was seen, less what the box's first process did itself: that is our own code, and the runtime's
    before it. ``driver`` begins the command line of our own spawn that lets the manager run one script: the
    manager's code reads its settings there, no package's (empty: there is none)."""
    own = {p.key for p in observation.processes if p.pid == init_pid}
    drivers = {
        p.key for p in observation.processes if driver and p.parent in own and p.cmdline.startswith(driver)
    }
    processes = (
        replace(p, name="init", cmdline="init") if p.key in own else p for p in observation.processes
    )
    return replace(
        observation,
        processes=tuple(processes),
        alerts=tuple(a for a in observation.alerts if a.pid != init_pid),
        files=tuple(f for f in observation.files if f.process not in own),
        canary_reads=tuple(r for r in observation.canary_reads if r.process not in own | drivers),
    )


class _Log:
    """Alerts up to a limit; what is left out is counted by rule."""

    def __init__(self, matcher: Matcher, limit: int, on_alert: Callable[[Alert], None] | None) -> None:
        self._matcher = matcher
        self._limit = limit
        self._tell = on_alert
        self._own = 0
        self.alerts: list[Alert] = []
        self.cut: Counter[str] = Counter()

    def add(self, alert: Alert) -> None:
        if self._tell is not None:
            self._tell(alert)
        if len(self.alerts) < self._limit:
            self.alerts.append(alert)
        else:
            self.cut[f"alerts of {alert.rule}"] += 1

    def add_asked(self, ev: Ev, asked: str, found: tuple[Rule, ...]) -> None:
        """Rules that match by the name that an open asked for, as Falco sees it, and not by that of the file that
        the kernel found: a door (``/proc/self/fd/5``) is worth an alert as well as what lies behind it."""
        fd = ev.fd
        if fd is None or (self._matcher.first and found):
            return
        resolved, fd.name = fd.name, asked
        try:
            for rule in self._matcher.matches(ev):
                if rule not in found:
                    self.add(self._matcher.alert(rule, ev))
        finally:
            fd.name = resolved

    def own(self, ev: Ev) -> None:
        """What only our probe can say: arguments rewritten during the call, entry by a foreign ABI."""
        extra = ev.extra
        if not extra:
            return
        if Extra.TAMPER in extra or Extra.TAMPER2 in extra:
            self._raise(ev, _TAMPERED, "Critical", "T1562")
        if extra.get(Extra.ABI) == b"\x01":
            self._raise(ev, _FOREIGN, "Warning", "T1106")

    def _raise(self, ev: Ev, rule: str, priority: str, technique: str) -> None:
        self._own += 1
        if self._own > _MAX_SELF_ALERTS:
            self.cut[f"alerts of {rule}"] += 1
            return
        thread = ev.thread
        fields = {
            "evt.time": ev.ts,
            "evt.type": ev.kind.name,
            "proc.name": thread.comm if thread is not None else None,
            "proc.cmdline": thread.cmdline if thread is not None else None,
            "proc.exepath": thread.exepath if thread is not None else None,
        }
        text = f"{rule} | call={ev.kind.name} process={fields['proc.name']} command={fields['proc.cmdline']}"
        tags = (technique, "mitre_defense_evasion", "process")
        self.add(
            Alert(ev.ts, rule, priority, text, fields, tags, "syscall", ev.num, ev.kind.name, ev.pid, ev.tid)
        )


def _learn(names: NameTable | None, ev: Ev) -> None:
    """A recording's notification that tells the name of an address."""
    if names is not None:
        address, _, name = ev.text(1).partition(" ")
        names.learn(address, name)


def _notes(counts: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if counts["malformed"]:
        notes.append(f"{counts['malformed']} events contradicted themselves and were left out.")
    if counts["unknown"]:
        notes.append(f"{counts['unknown']} events are of types that this version does not know.")
    return tuple(notes)
