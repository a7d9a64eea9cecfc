"""`AccessServer` with its pages, and scans that ended with a given report."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from package_hunter.api.app import create_app
from package_hunter.cli.serve import renderers
from package_hunter.model.report import Report
from package_hunter.store import scans
from package_hunter.store.scans import NewScan
from package_hunter.web import Web
from tests.support.access_server import OWN, AccessServer


class PagesServer(AccessServer):
    """See the module."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.app = create_app(self.settings, self.store, self.queue, renderers(), Web())

    def waiting(self, purl: str = "pkg:npm/demo@1.0.0", project: str = OWN) -> str:
        """The id of a scan that waits."""
        with self.store.write() as session:
            new = NewScan(purl, "test", purl=purl, project=self.ids[project])
            scan = scans.add(session, new)
            self.queue.enqueue(session, scan.id)
            return str(scan.id)

    def ended(self, report: Report, purl: str = "pkg:npm/demo@1.0.0", project: str = OWN) -> str:
        """The id of a scan that ended with this report."""
        scan_id = self.waiting(purl, project)
        job = self.queue.claim("w")
        assert job is not None
        assert job.scan_id == uuid.UUID(scan_id)
        self.queue.finish(job, replace(report, id=scan_id))
        return scan_id

    def post(self, token: str, path: str, **fields: str) -> httpx.Response:
        """The answer to a form."""
        return self.ask(token, "POST", path, data=fields or {"none": ""})
