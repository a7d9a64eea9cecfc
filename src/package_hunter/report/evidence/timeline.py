"""The timeline: phases, processes, network, secrets and alerts on one axis, as shapes at percents of its width.

Percents, so that a picture is as wide as its page and its text keeps its size; times that fall together are one shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_hunter.model.scales import severity_rank
from package_hunter.report import words
from package_hunter.report.harmless import defang

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

_STEPS = 400  # places on the axis that can be told apart
_MAX_BARS = 24  # rows of processes
_MAX_EVENTS = 200
_MAX_NAMED = 6
_TICKS = (0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600)


@dataclass(frozen=True, slots=True)
class Bar:
    """From ``x`` for ``width`` (percents), in ``row`` of its lane."""

    x: float
    width: float
    row: int
    label: str
    said: str
    css: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """At ``x`` (percent): how many things, and the first of them in words."""

    x: float
    count: int
    said: str
    css: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of thing; bars lie in ``rows`` rows."""

    name: str
    bars: tuple[Bar, ...] = ()
    dots: tuple[Dot, ...] = ()
    rows: int = 1
    more: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """``ticks`` are percents and what stands there; ``events`` the same in words, in the order of time."""

    seconds: float
    ticks: tuple[tuple[float, str], ...]
    lanes: tuple[Lane, ...]
    events: tuple[tuple[str, str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class _At:
    time_ns: int
    said: str
    weight: str
    process: int | None


def drawn(evidence: Exhibits) -> Timeline:
    """The timeline of a report."""
    axis = _axis(evidence)
    lanes = [_phases(evidence, axis), _processes(evidence, axis)]
    for name, moments in (
        ("Network", _network(evidence)),
        ("Secrets", _secrets(evidence)),
        ("Alerts", _alerts(evidence)),
    ):
        lanes.append(Lane(name, dots=tuple(axis.dots(moments))))
    events, more = _events(evidence, axis)
    shown = tuple(lane for lane in lanes if lane.bars or lane.dots)
    return Timeline(axis.seconds, tuple(axis.ticks()), shown, events, more)


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.begin) / 1e9

    def at(self, time_ns: int) -> float:
        """A time's percent, on the axis whatever it is."""
        share = (time_ns - self.begin) / (self.end - self.begin)
        return round(min(1.0, max(0.0, share)) * 100, 2)

    def ticks(self) -> Iterable[tuple[float, str]]:
        step = next((s for s in _TICKS if self.seconds / s <= 6), self.seconds / 5)
        number = 0
        while number * step <= self.seconds * 1.0001 and number < 12:
            yield round(number * step / self.seconds * 100, 2), f"{number * step:g} s"
            number += 1

    def dots(self, moments: Sequence[_At]) -> Iterable[Dot]:
        places: dict[int, list[_At]] = {}
        for one in sorted(moments, key=lambda m: m.time_ns):
            places.setdefault(int(self.at(one.time_ns) / 100 * _STEPS), []).append(one)
        for those in places.values():
            worst = max(those, key=lambda m: severity_rank(m.weight))
            said = list(dict.fromkeys(m.said for m in those))
            more = [f"and {len(said) - _MAX_NAMED} more"] if len(said) > _MAX_NAMED else []
            link = "" if worst.process is None else f"p{worst.process}"
            text = "\n".join([self.clock(those[0].time_ns), *said[:_MAX_NAMED], *more])
            yield Dot(self.at(those[0].time_ns), len(those), text, f"w-{worst.weight}", link)

    def clock(self, time_ns: int) -> str:
        return f"+{(time_ns - self.begin) / 1e9:.3f} s"


def _axis(evidence: Exhibits) -> _Axis:
    """From the first thing that is known of a box to the last."""
    report = evidence.report
    times = [p.begin for p in evidence.phases] + [p.end for p in evidence.phases]
    times += [p.started_ns for p in report.processes]
    times += [p.ended_ns for p in report.processes if p.ended_ns is not None]
    times += [a.time_ns for a in report.alerts] + [c.time_ns for c in report.network.connections]
    inside = [t for t in times if report.started <= t <= max(report.finished, report.started)]
    begin, end = min(inside, default=report.started), max(inside, default=report.finished)
    return _Axis(begin, max(end, begin + 1_000_000))


def _phases(evidence: Exhibits, axis: _Axis) -> Lane:
    worlds = list(dict.fromkeys(p.world for p in evidence.phases))
    bars = tuple(
        Bar(
            axis.at(one.begin),
            max(0.4, axis.at(one.end) - axis.at(one.begin)),
            0,
            one.name if len(worlds) < 2 else f"{one.name} ({one.world})",
            f"{one.name}, world {one.world}: {one.status}, {(one.end - one.begin) / 1e9:.2f} s",
            f"phase-{number % 2} status-{one.status}",
        )
        for number, one in enumerate(evidence.phases)
    )
    return Lane("Phases", bars)


def _processes(evidence: Exhibits, axis: _Axis) -> Lane:
    """Those that something is known of, the gravest first come to a row."""
    noted = [
        p for p in evidence.report.processes if p.key in evidence.marks.by_process and p.cmdline != "init"
    ]
    noted.sort(key=lambda p: p.started_ns)
    free: list[float] = []
    bars = []
    for process in noted:
        x = axis.at(process.started_ns)
        end = axis.at(process.ended_ns) if process.ended_ns is not None else 100.0
        width = max(0.4, end - x)
        row = next((i for i, taken in enumerate(free) if taken <= x), len(free))
        if row >= _MAX_BARS:
            continue
        free[row : row + 1] = [x + width]
        worst = max((m.weight for m in evidence.marks_of(process.key)), key=severity_rank)
        said = f"{axis.clock(process.started_ns)}\n{words.short(process.cmdline or process.name, 300)}"
        label = words.short(process.cmdline or process.name, 60)
        bars.append(Bar(x, width, row, label, said, f"w-{worst}", f"p{process.key}"))
    return Lane("Processes of note", tuple(bars), rows=max(1, len(free)), more=len(noted) - len(bars))


def _network(evidence: Exhibits) -> list[_At]:
    return [
        _At(
            c.time_ns,
            f"{defang(c.name or c.address)}:{c.port} ({c.bytes_out} bytes sent)",
            "medium",
            evidence.process_of(c.blame, c.time_ns),
        )
        for c in evidence.contacts
    ]


def _secrets(evidence: Exhibits) -> list[_At]:
    read = [
        _At(
            r.time_ns,
            f"read: {evidence.kinds.get(r.canary, r.canary)} in {words.short(r.path, 200)}",
            "high"
            if any(m.kind == "read" and m.weight != "info" for m in evidence.marks_of(r.process))
            else "info",
            r.process,
        )
        for r in evidence.report.canaries.read
    ]
    sent = [
        _At(
            h.time_ns,
            f"sent: {evidence.kinds.get(h.canary, h.canary)} to {defang(h.destination)}",
            "critical",
            evidence.process_of(h.blame, h.time_ns),
        )
        for h in evidence.report.canaries.sent
        if not h.lawful
    ]
    return read + sent


def _alerts(evidence: Exhibits) -> list[_At]:
    found = []
    for alert in evidence.report.alerts:
        key = evidence.process_of_alert(alert)
        weights = [m.weight for m in evidence.marks_of(key or 0) if m.kind == "rule" and m.text == alert.rule]
        found.append(_At(alert.time_ns, alert.rule, weights[0] if weights else "info", key))
    return found


def _events(evidence: Exhibits, axis: _Axis) -> tuple[tuple[tuple[str, str, str], ...], int]:
    rows = [(e.time_ns, e.what, f.blame) for f in words.counting(evidence.report) for e in f.evidence]
    rows.sort(key=lambda row: row[0])
    told = tuple((axis.clock(at), what, words.who(blame)) for at, what, blame in rows[:_MAX_EVENTS])
    return told, max(0, len(rows) - _MAX_EVENTS)
