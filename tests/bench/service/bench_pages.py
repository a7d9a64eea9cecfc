"""Budget of pages: 95 of 100 answers of each within 100 ms of server time, and below 150 kB with what it loads, with
100,000 findings and 10,000 scans, on both databases; for somebody who sees all, and for an analyst of one group.

A page is whatever `api.page_permits.PAGES` lists; of pages of one thing, one is opened. Where it takes longer, the
queries that it waited for are printed."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.api.app import create_app
from package_hunter.api.page_permits import PAGES
from package_hunter.api.permit import Where
from package_hunter.api.server import prepare_folders
from package_hunter.audit.sealer import Sealer
from package_hunter.cli.serve import renderers
from package_hunter.config import Settings
from package_hunter.notices import secrecy
from package_hunter.queue import make
from package_hunter.store.database import Store
from package_hunter.web import Web
from tests.support.full_store import FINDINGS, PASSWORD, PROJECTS, SCANS, Full, fill
from tests.support.service_postgres import postgres

RUNS, BUDGET_MS, BUDGET_BYTES = 20, 100.0, 150_000
WHO = ("ann", "dora")
_QUERIES = {
    "/people/account": "/people/account?name=ann",
    "/scans/compare": "/scans/compare?one={scan_id}&two={scan_id}",
    "/rules/explain": "/rules/explain?name=Git%20hook%20installed",
    "/rules/files/{scope}/{name}": "/rules/files/builtin/package_install.yaml",
    "/packages": "/packages?purl={purl}",
}
"""Of pages that are of one thing by their query, or by a name, how they are opened."""
_FILTERED = (
    "/findings?state=needs_triage&order=severity&detected=true&severity=low",
    "/findings?older_than=7&project=g0/p0",
    "/findings?expires_in=14",
    "/scans?verdict=malicious&project=g0/p0",
    "/scans?package=pkg:npm/shared0",
    "/history?action=finding&who=ann",
)
"""Addresses that people keep, beside the pages as they are."""
_LOADED = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_PARAMETER = re.compile(r"{(\w+)(?::path)?}")


def main() -> None:
    """Print the figures of both."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Path(folder), None)
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        _measure("PostgreSQL", Path(folder), url)


def _measure(name: str, folder: Path, url: str | None) -> None:
    settings = Settings(data_dir=folder, database_url=url, min_free_bytes=0)
    prepare_folders(settings)
    secrecy.prepare(settings)
    store = Store(settings)
    store.migrate()
    full = fill(store)
    Sealer(store, settings).seal()  # as a server does all the time
    print(f"{name}: {FINDINGS} findings, {SCANS} scans, {PROJECTS} projects (budget: p95 {BUDGET_MS:.0f} ms)")
    asyncio.run(_all(settings, store, full))
    store.close()


async def _all(settings: Settings, store: Store, full: Full) -> None:
    app = create_app(settings, store, make(settings, store), renderers(), Web())
    with _asked(store) as queries:
        for who in WHO:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=600
            ) as client:
                signed = await client.post("/sign-in", data={"name": who, "password": PASSWORD})
                assert signed.status_code == 303, signed.text
                for path in paths(full):
                    await _page(client, who, path, queries)
        await app.state.service.auth._noting.written()


def paths(full: Full) -> Iterator[str]:
    """Every page that can be opened; one of each thing."""
    known = {
        "scan_id": full.scan,
        "finding_id": full.finding,
        "project_id": full.project,
        "group_id": full.group,
        "number": str(full.proposal),
        "purl": full.package,
        "scope": full.group,
    }
    for permit in PAGES:
        path = _QUERIES.get(permit.path, permit.path)
        wanted = _PARAMETER.findall(path)
        if permit.method != "GET" or permit.where is Where.OPEN or path.endswith(".csv"):
            continue
        if missing := [name for name in wanted if name not in known]:
            print(f"  {permit.path}: left out, there is no {', '.join(missing)}")
            continue
        yield _PARAMETER.sub(lambda hit: known[hit[1]], path)
    yield from _FILTERED


async def _page(client: httpx.AsyncClient, who: str, path: str, queries: Queries) -> None:
    answer = await client.get(path)
    if answer.status_code != 200:
        print(f"  {who:5} {path[:44]:44} answers {answer.status_code}")
        return
    queries.clear()
    wall, work = [], []
    for _ in range(RUNS):
        began, busy = time.perf_counter(), time.process_time()
        await client.get(path)
        wall.append((time.perf_counter() - began) * 1000)
        work.append((time.process_time() - busy) * 1000)
    p95 = sorted(wall)[int(RUNS * 0.95) - 1]
    size = len(answer.content) + sum([len((await client.get(one)).content) for one in _loads(answer.text)])
    slow, large = p95 > BUDGET_MS, size > BUDGET_BYTES
    print(
        f"  {who:5} {path[:44]:44} median {sorted(wall)[RUNS // 2]:6.1f}, p95 {p95:6.1f} ms "
        f"(processor {sum(work) / RUNS:5.1f} ms, {queries.number / RUNS:.0f} queries), {size / 1000:.0f} kB "
        f"({len(answer.content) / 1000:.0f} kB itself)" + " TOO SLOW" * slow + " TOO LARGE" * large,
        flush=True,
    )
    if slow:
        for line in queries.slowest():
            print(f"          {line}")


def _loads(text: str) -> set[str]:
    return set(_LOADED.findall(text))


@dataclass
class Queries:
    """What was asked of the database, and how long it took in all, by statement."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    number: int = 0

    def clear(self) -> None:
        """Begin anew."""
        self.seconds.clear()
        self.number = 0

    def slowest(self) -> Iterator[str]:
        """The three that took longest, each in milliseconds a page."""
        for statement, seconds in sorted(self.seconds.items(), key=lambda pair: -pair[1])[:3]:
            yield f"{seconds / RUNS * 1000:6.1f} ms  {' '.join(statement.split())[:200]}"


@contextmanager
def _asked(store: Store) -> Iterator[Queries]:
    queries = Queries()

    def before(_c: Any, _cursor: Any, _statement: str, _p: Any, context: Any, _many: bool) -> None:
        context.began = time.perf_counter()

    def after(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        queries.seconds[statement] += time.perf_counter() - context.began
        queries.number += 1

    event.listen(store.engine, "before_cursor_execute", before)
    event.listen(store.engine, "after_cursor_execute", after)
    try:
        yield queries
    finally:
        event.remove(store.engine, "before_cursor_execute", before)
        event.remove(store.engine, "after_cursor_execute", after)


if __name__ == "__main__":
    main()
