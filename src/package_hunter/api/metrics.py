"""Figures for Prometheus: of this process, and (`store_figures`) what the store has of all. Labels are our own words
and paths of projects, never names of packages or users."""

from __future__ import annotations

import shutil
import time
from typing import Any

from anyio.to_thread import run_sync
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from package_hunter.api.service import Service
from package_hunter.api.store_figures import Artefacts, StoreFigures
from package_hunter.audit.sealer import oldest_unsealed
from package_hunter.governance.proposals import views
from package_hunter.model.scan import ScanStatus
from package_hunter.notices import deliveries
from package_hunter.storage.folder import folder_of
from package_hunter.store import scans
from package_hunter.store.database import now_ms
from package_hunter.watching import census

TOO_MANY = 429
_COUNT_SECONDS = 300.0  # between two counts of all artefacts
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._artefacts: Artefacts = {}
        self._count_again = 0.0
        args: dict[str, Any] = {"registry": self.registry, "namespace": "package_hunter"}
        self.requests = Counter("http_requests", "Requests answered.", ("method", "route", "status"), **args)
        self.seconds = Histogram("http_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, **args)
        self.scans = Gauge("scans", "Scans in the store by status.", ("status",), **args)
        self.oldest = Gauge(
            "queue_oldest_seconds", "How long the first scan in the queue has waited.", **args
        )
        self.worker = Gauge("worker_seen_seconds", "Time since any worker was last seen; -1: never.", **args)
        self.unsealed = Gauge(
            "history_unsealed_seconds", "How long the history's oldest entry has waited for its seal.", **args
        )
        self.deliveries = Gauge(
            "deliveries", "Notices that wait to be told, and that were given up (dead).", ("state",), **args
        )
        self.proposals = Gauge(
            "proposals",
            "Proposals that are open, and applied without approval and not reviewed.",
            ("state",),
            **args,
        )
        self.glass = Gauge("glass_broken", "How often something was applied in an emergency, ever.", **args)
        self.uploads = Gauge("uploads_active", "Archives coming in.", **args)
        self.limited = Counter(
            "rate_limited", "Requests that were refused for being too many.", ("route",), **args
        )
        self.streams = Gauge("event_streams", "Clients that are being told of a scan's progress.", **args)
        self.free = Gauge("disk_free_bytes", "Free space where archives are kept.", **args)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count an answered request; ``seconds`` None: a stream, which lasts as long as its client wants."""
        self.requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self.seconds.labels(route).observe(seconds)
        if status == TOO_MANY:
            self.limited.labels(route).inc()

    async def text(self, service: Service) -> bytes:
        """All figures in Prometheus's text format."""
        return await run_sync(self._text, service)

    def _text(self, service: Service) -> bytes:
        of_store = CollectorRegistry()
        with service.store.read() as session:
            if time.monotonic() >= self._count_again:
                self._artefacts = census.artefacts(session)
                self._count_again = time.monotonic() + _COUNT_SECONDS
            of_store.register(StoreFigures(session, service.settings, self._artefacts))
        self._refresh(service)
        return generate_latest(self.registry) + generate_latest(of_store)

    def _refresh(self, service: Service) -> None:
        with service.store.read() as session:
            counts = scans.counts(session)
            oldest = scans.oldest_waiting(session)
            seen = scans.worker_seen(session)
            unsealed = oldest_unsealed(session)
            telling = deliveries.counts(session)
            changes = views.counts(session, now_ms())
        for status in ScanStatus:
            self.scans.labels(status).set(counts.get(status, 0))
        for state in ("waiting", "dead"):
            self.deliveries.labels(state).set(telling.get(state, 0))
        for state in ("open", "unreviewed"):
            self.proposals.labels(state).set(changes[state])
        self.glass.set(changes["glass broken"])
        now = now_ms()
        self.oldest.set(0 if oldest is None else max(0, now - oldest) / 1000)
        self.worker.set(-1 if seen is None else max(0, now - seen) / 1000)
        self.unsealed.set(0 if unsealed is None else max(0, now - unsealed) / 1000)
        self.uploads.set(service.receiving.total())
        self.free.set(shutil.disk_usage(folder_of(service.settings)).free)
