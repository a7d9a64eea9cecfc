"""Budget of the queue: 50 claims a second while 10,000 scans of 500 projects wait, on both databases, durable."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path

from sqlalchemy import insert

from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.queue import fair, make
from package_hunter.store import scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import JobRow, Scan
from package_hunter.store.scans import NewScan
from tests.support.service_fake import made_report
from tests.support.service_postgres import postgres

WAITING, PROJECTS, WORKERS, CLAIMS, ENQUEUED = 10_000, 500, 4, 400, 200


def main() -> None:
    """Print the figures of both."""
    print(f"{WAITING:,} scans of {PROJECTS} projects wait (budget 50 claims a second):")
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Settings(data_dir=Path(folder)))
    with tempfile.TemporaryDirectory() as folder, postgres(durable=True) as url:
        _measure("PostgreSQL", Settings(data_dir=Path(folder), database_url=url))


def _measure(name: str, settings: Settings) -> None:
    prepare_folders(settings)
    store = Store(settings)
    store.migrate()
    projects = [uuid.uuid4() for _ in range(PROJECTS)]
    _fill(store, projects)
    print(f"  {name:10} one worker       {_claims(store, settings, 1)}")
    print(f"  {'':10} {WORKERS} workers        {_claims(store, settings, WORKERS)}")
    print(f"  {'':10} one more scan    {_enqueues(store, settings, projects)}", flush=True)
    store.close()


def _fill(store: Store, projects: list[uuid.UUID]) -> None:
    """All projects' scans, mixed, each project's by a token of its own."""
    now, made, jobs = now_ms() - WAITING, [], []
    for n in range(WAITING):
        which, scan_id = n % PROJECTS, uuid.uuid4()
        whose = {"submitter": f"token:project-{which}", "project_id": projects[which]}
        made.append(
            {
                "id": scan_id,
                "target": "x",
                "purl": f"pkg:npm/x{n}@1.0.0",
                "created": now + n,
                "status": "pending",
            }
            | whose
        )
        jobs.append({"scan_id": scan_id, "enqueued": now + n, "attempts": 0} | whose)
    with store.write() as session:
        session.execute(insert(Scan), made)
        session.execute(insert(JobRow), jobs)
        for which, project in enumerate(projects):
            fair.join(session, f"token:project-{which}", project)


def _claims(store: Store, settings: Settings, workers: int) -> str:
    """So many workers claim scans and end them; only the claims are timed, and all together."""
    taken: list[float] = []

    def work(name: str) -> None:
        queue = make(settings, store)
        for _ in range(CLAIMS // workers):
            began = time.perf_counter()
            job = queue.claim(name)
            taken.append(time.perf_counter() - began)
            assert job is not None
            queue.finish(job, made_report(str(job.scan_id)))

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(f"w/{n}",)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = len(taken) / (time.perf_counter() - began)
    rate, slow = workers * len(taken) / sum(taken), sorted(taken)[int(len(taken) * 0.95)] * 1e3
    median = statistics.median(taken) * 1e3
    return (
        f"{rate:6.0f} claims/s (median {median:.1f} ms, p95 {slow:.1f} ms); claimed and ended: {both:.0f}/s"
    )


def _enqueues(store: Store, settings: Settings, projects: list[uuid.UUID]) -> str:
    queue, taken = make(settings, store), []
    for n in range(ENQUEUED):
        began = time.perf_counter()
        with store.write() as session:
            new = NewScan("x", "ana", purl=f"pkg:npm/y{n}@1.0.0", project=projects[n])
            queue.enqueue(session, scans.add(session, new).id)
        taken.append(time.perf_counter() - began)
    median = statistics.median(taken) * 1e3
    return f"{1 / statistics.mean(taken):6.0f} a second stored and enqueued (median {median:.1f} ms)"
