"""Projects with scans in a store, for tests of inventory and gate."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import replace
from typing import Any

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.access.actor import Actor
from package_hunter.access.view import View
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.scan import Coverage, Decision, Package, Verdict
from package_hunter.queue.base import Queue
from package_hunter.store import places, scans
from package_hunter.store.database import Store
from package_hunter.store.notice_tables import NoticeRow
from package_hunter.store.scans import NewScan
from tests.support.judge_samples import BLAME, FINDING, report

BY = Actor("ana", "192.0.2.1")
COMMIT = "8f2c3a5d9e1b47c60f8a2d3e4c5b6a7980f1e2d3"


def sri(content: str) -> str:
    """The digest of made-up bytes, as npm's lock files write it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content.encode()).digest()).decode()


def digest(content: str) -> str:
    """The same as the inventory writes it."""
    return "sha512:" + hashlib.sha512(content.encode()).hexdigest()


def package(purl: str, content: str | None = None, **more: Any) -> Package:
    """A package whose archive has these bytes (None: no digest is known)."""
    name, _, version = purl.rpartition("/")[2].partition("@")
    made = Package(purl, name, version, f"/home/dev/projects/x/node_modules/{name}")
    return replace(made, integrity=None if content is None else sri(content), **more)


def clean(*packages: Package, **changes: Any) -> Report:
    """A report that found nothing."""
    whole = Coverage(events=1)
    return report(
        packages=packages,
        findings=(),
        alerts=(),
        verdict=Verdict.NO_FINDINGS,
        decision=Decision.PASS,
        coverage=whole,
        **changes,
    )


def theft(purl: str, *packages: Package, **changes: Any) -> Report:
    """A report in which a package steals a token."""
    blame = replace(BLAME, package=purl, **changes)
    return report(packages=packages, findings=(finding(purl, blame=blame),))


def finding(purl: str, **changes: Any) -> Finding:
    """A theft by a package."""
    return replace(FINDING, **({"blame": replace(BLAME, package=purl)} | changes))


class World:
    """Two projects in a store."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self.store, self.queue = store, queue
        self.ids: dict[str, uuid.UUID] = {}
        with store.write() as session:
            for path in ("web", "ops"):
                places.add_group(session, path, BY)
            for path in ("web/shop", "ops/pay"):
                self.ids[path] = places.add_project(session, path, BY).id

    def view(self, *paths: str) -> View:
        """What somebody of these projects sees."""
        return View(frozenset(self.ids[path] for path in paths))

    def submit(self, project: str, by: str = "ana", **more: Any) -> uuid.UUID:
        """A scan that waits."""
        with self.store.write() as session:
            new = NewScan(f"of {project}", by, sha256="ab" * 32, size=1, project=self.ids[project], **more)
            scan = scans.add(session, new)
            self.queue.enqueue(session, scan.id)
        return scan.id

    def scanned(self, project: str, found: Report, by: str = "ana") -> uuid.UUID:
        """A scan with this result."""
        scan = self.submit(project, by)
        self.finish(scan, found)
        return scan

    def finish(self, scan: uuid.UUID, found: Report) -> None:
        """End the scan that waits."""
        job = self.queue.claim("w/1")
        assert job is not None
        assert job.scan_id == scan
        self.queue.finish(job, replace(found, id=str(scan)))

    def notices(self, event: str) -> list[tuple[uuid.UUID | None, dict[str, Any]]]:
        """What was put into the outbox: project and body."""
        import json

        with self.store.read() as session:
            rows = session.query(NoticeRow).where(NoticeRow.event == event).order_by(NoticeRow.time).all()
            return [(row.project_id, json.loads(row.body)) for row in rows]
