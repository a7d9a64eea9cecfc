"""The figures that the store has of the whole service, as Prometheus's families. They are made for each scrape, so what
is there no more (a project that was busy, a worker) has no line any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.drill import overview
from package_hunter.drill.overview import Overview
from package_hunter.store.database import now_ms
from package_hunter.watching import census, figures
from package_hunter.watching.census import Census
from package_hunter.watching.figures import BOUNDS, Figure

_PREFIX = "package_hunter_"
Artefacts = Mapping[str, tuple[int, int]]
"""By kind: how many, and their bytes (`census.artefacts`)."""


class StoreFigures:
    """Implements prometheus_client's Collector: all families of one moment."""

    def __init__(self, session: Session, settings: Settings, artefacts: Artefacts) -> None:
        self._artefacts = artefacts
        self._census = census.take(session, settings.lease_seconds)
        self._drill = overview.of(session, settings)
        self._results = figures.of(session, figures.RESULTS)
        self._waits = figures.of(session, figures.WAITS)
        self._steps = figures.of(session, figures.STEPS)

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        yield from _queue(self._census, now_ms())
        yield from _projects(self._census)
        yield from _service(self._census)
        yield from _artefacts(self._artefacts)
        yield from _drill(self._drill)
        yield _counter(
            "results", "Results of scans.", ("priority", "verdict", "decision", "from"), self._results
        )
        yield _histogram(
            "scan_wait_seconds", "From a scan's submission to its begin.", "priority", self._waits
        )
        yield _histogram("scan_step_seconds", "Time that a scan's step took.", "step", self._steps)


def _gauge(name: str, text: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, text, labels=labels)


def _single(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, text, value=value)


def _queue(found: Census, now: int) -> Iterator[Metric]:
    queue = _gauge("queue_scans", "Scans that wait, and that run.", ("priority", "state"))
    oldest = _gauge("queue_wait_seconds", "How long the first scan of a priority has waited.", ("priority",))
    for priority, one in found.queue.items():
        queue.add_metric((priority, "waiting"), one.waiting)
        queue.add_metric((priority, "running"), one.running)
        oldest.add_metric((priority,), 0 if one.oldest is None else max(0, now - one.oldest) / 1000)
    yield queue
    yield oldest


def _projects(found: Census) -> Iterator[Metric]:
    queue = _gauge(
        "project_scans",
        f"Scans that wait, and that run, of the {census.BUSIEST} projects that have most.",
        ("project", "state"),
    )
    for path, (waiting, running) in found.projects.items():
        queue.add_metric((path, "waiting"), waiting)
        queue.add_metric((path, "running"), running)
    day = _gauge(
        "project_day_results",
        f"Results of scans of the last 24 hours, of the {census.BUSIEST} projects that have most.",
        ("project", "verdict"),
    )
    for (path, verdict), number in found.day.items():
        day.add_metric((path, verdict), number)
    yield queue
    yield day


def _service(found: Census) -> Iterator[Metric]:
    workers = _gauge("workers", "Workers by how they stand (docs/server.md).", ("state",))
    for state, number in found.workers.items():
        workers.add_metric((state,), number)
    yield workers
    done = _gauge("chore_done_timestamp_seconds", "When a chore was done last.", ("chore",))
    failed = _gauge("chore_failed", "Whether a chore failed the last time.", ("chore",))
    for chore in found.chores:
        done.add_metric((chore.name,), chore.done / 1000)
        failed.add_metric((chore.name,), chore.failed)
    yield done
    yield failed
    yield _single(
        "dead_letters", "Scans that failed through faults of ours and can be run again.", found.dead
    )
    yield _single("traces_waiting", "Scans whose trace waits to be sent.", found.traces)


def _artefacts(found: Artefacts) -> Iterator[Metric]:
    many = _gauge("artefacts", "Artefacts that scans refer to (counted every five minutes).", ("kind",))
    size = _gauge("artefact_bytes", "Their size before compression and encryption.", ("kind",))
    for kind, (number, together) in found.items():
        many.add_metric((kind,), number)
        size.add_metric((kind,), together)
    yield many
    yield size


def _drill(found: Overview) -> Iterator[Metric]:
    """-1 where there is none: a drill that was never proven must not look like one that was just now."""
    never = -1.0
    yield _single("drill_failed", "Whether the last standing drill failed.", found.state == "failed")
    yield _single(
        "drill_proven_timestamp_seconds",
        "When a standing drill was last blocked in time; -1: never.",
        never if found.proven is None else found.proven / 1000,
    )
    yield _single(
        "drill_block_seconds",
        "From the submission of the drill that was proven last to the gate's block; -1: none was.",
        never if found.seconds_to_block is None else found.seconds_to_block,
    )
    yield _single(
        "drill_decided_minutes",
        "From the block of a drill until a person decided on its finding, the last time; -1: nobody ever did.",
        never if found.minutes_until_decided is None else found.minutes_until_decided,
    )
    yield _single(
        "drill_undecided_minutes",
        "How long the finding of the newest drill has waited for a person; -1: none does.",
        never if found.undecided_minutes is None else found.undecided_minutes,
    )


def _counter(name: str, text: str, labels: Sequence[str], found: Sequence[Figure]) -> CounterMetricFamily:
    family = CounterMetricFamily(_PREFIX + name, text, labels=labels)
    for one in found:
        if len(one.labels) == len(labels):
            family.add_metric(one.labels, one.count)
    return family


def _histogram(name: str, text: str, label: str, found: Sequence[Figure]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(_PREFIX + name, text, labels=(label,))
    for one in found:
        if len(one.labels) == 1:
            family.add_metric(one.labels, _cumulated(one), one.seconds)
    return family


def _cumulated(one: Figure) -> list[tuple[str, float]]:
    """As Prometheus has buckets: each with all that are smaller."""
    total, buckets = 0, []
    for bound, number in zip(BOUNDS, one.buckets, strict=True):
        total += number
        buckets.append((str(bound), float(total)))
    return [*buckets, ("+Inf", float(max(one.count, total)))]
