"""Verdict by digest (`GET /api/v1/packages/{purl}`): a server with 500 projects that were scanned each night, on both
databases; budget: 99 of 100 within 5 ms. Of packages that one project has, and that all have."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.inventory import packages, who_has
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store
from package_hunter.store.inventory_tables import (
    Component,
    ComponentDigest,
    ComponentList,
    FileVerdict,
    Holding,
)
from package_hunter.store.models import Scan
from tests.support.service_postgres import postgres

PROJECTS, NIGHTS, OWN, SHARED = 500, 10, 180, 20
ASKED, BLAMED = 300, 5_000
T0 = 1_790_000_000_000


def main() -> None:
    """Print the figures of both."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Path(folder), None)
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        _measure("PostgreSQL", Path(folder), url)


def _measure(name: str, folder: Path, url: str | None) -> None:
    settings = Settings(data_dir=folder, database_url=url, min_free_bytes=0)
    prepare_folders(settings)
    store = Store(settings)
    store.migrate()
    with store.write() as session:
        _fill(session)
    with store.write() as session:
        session.execute(text("ANALYZE"))
    scans = PROJECTS * NIGHTS
    print(
        f"{name}: {scans} scans of {PROJECTS} projects, {PROJECTS * (OWN + SHARED)} components (budget: p99 5 ms)"
    )
    own = [f"pkg:npm/own{n % PROJECTS}-{n % OWN}@1.0.0" for n in range(ASKED)]
    shared = [f"pkg:npm/shared{n % SHARED}@1.0.0" for n in range(ASKED)]
    for label, purls in (("that one project has", own), ("that all projects have", shared)):
        one = lambda s, p: packages.file(s, EVERYTHING, p, _digest(p))  # noqa: E731
        _timed(store, f"verdict by digest, a file {label}", one, purls)
        _timed(store, f"all files of a release {label}", lambda s, p: packages.files(s, EVERYTHING, p), purls)
    digests = [_digest(purl) for purl in own]
    _timed(store, "who has a file", lambda s, d: who_has.by_digest(s, EVERYTHING, d), digests)
    with store.read() as session:
        for line in _plans(session, shared[0], sqlite=url is None):
            print(f"      {line}")
    store.close()


def _timed(store: Store, label: str, ask: Any, asked: list[str]) -> None:
    """Wall and processor time (of this thread: SQLite works in it) of each question."""
    wall, work = [], []
    for one in asked:
        with store.read() as session:
            began, busy = time.perf_counter(), time.thread_time()
            ask(session, one)
            wall.append((time.perf_counter() - began) * 1000)
            work.append((time.thread_time() - busy) * 1000)
    both = [
        f"median {statistics.median(t):.1f}, p99 {sorted(t)[int(len(t) * 0.99)]:.1f} ms" for t in (wall, work)
    ]
    print(f"  {label:50} {both[0]} (processor: {both[1]})")


def _fill(session: Session) -> None:
    projects = [uuid.UUID(int=n + 1) for n in range(PROJECTS)]
    session.execute(
        insert(Project), [{"id": p, "path": f"p{n}", "created": 1} for n, p in enumerate(projects)]
    )
    number = 0
    for n, project in enumerate(projects):
        names = [f"pkg:npm/own{n}-{k}" for k in range(OWN)] + [f"pkg:npm/shared{k}" for k in range(SHARED)]
        key = f"{n:064x}"
        session.execute(insert(ComponentList).values(digest=key, created=1))
        rows = [
            {"id": number + k, "list": key, "base": base, "version": "1.0.0", "direct": False, "exact": True}
            for k, base in enumerate(names, 1)
        ]
        session.execute(insert(Component), rows)
        digests = [{"component_id": row["id"], "digest": _digest(f"{row['base']}@1.0.0")} for row in rows]
        session.execute(insert(ComponentDigest), digests)
        number += len(rows)
        _scans(session, n, project, key)


def _scans(session: Session, n: int, project: uuid.UUID, key: str) -> None:
    scans = [
        {
            "id": uuid.UUID(int=(n + 1) << 32 | night),
            "target": "demo",
            "sha256": "0" * 64,
            "submitter": "ana",
            "created": T0 + night * 86_400_000 + n,
            "status": "finished",
            "verdict": "no_findings",
            "project_id": project,
        }
        for night in range(NIGHTS)
    ]
    session.execute(insert(Scan), scans)
    held = [
        {
            "id": uuid.uuid4(),
            "project_id": project,
            "scan_id": scan["id"],
            "list": key,
            "source": "scan",
            "name": "demo",
            "owner": "ana",
            "created": scan["created"],
        }
        for scan in scans
    ]
    session.execute(insert(Holding), held)
    blamed = [
        {
            "scan_id": scans[0]["id"],
            "digest": f"sha256:{hashlib.sha256(f'{n} {k}'.encode()).hexdigest()}",
            "base": f"pkg:npm/blamed{k}",
            "version": "1.0.0",
            "verdict": "suspicious",
            "what": "It wrote a git hook.",
        }
        for k in range(BLAMED // PROJECTS)
    ]
    session.execute(insert(FileVerdict), blamed)


def _digest(purl: str) -> str:
    return f"sha256:{hashlib.sha256(purl.encode()).hexdigest()}"


def _plans(session: Session, purl: str, *, sqlite: bool) -> Iterator[str]:
    """The plan of each query that a verdict asks."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        packages.files(session, EVERYTHING, purl)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    for statement, parameters in asked:
        yield from (
            str(row[-1]).strip()[:150]
            for row in session.connection().exec_driver_sql(explain + statement, parameters).all()[:8]
        )


if __name__ == "__main__":
    main()
