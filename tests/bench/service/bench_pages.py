"""What people open first, with 100,000 findings and 10,000 scans on both databases: the server's time of each page (the
page's own function and all that it asks of the API), and its weight."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.api.app import create_app
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.notices import secrecy
from package_hunter.queue import make
from package_hunter.store import accounts
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow, StateRow
from package_hunter.store.gate_tables import GateAnswer
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.web import Web
from tests.bench.triage import bench_findings as findings
from tests.support.duty_store import LOOK, PROOF, scanned
from tests.support.service_postgres import postgres

SCANS, RUNS = 10_000, 20
BUDGET_MS, WEIGHT = 100, 150_000
DAY = 86_400_000
BY = Actor("bench", "bench")


def main() -> None:
    """Print the figures of both."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", Path(folder), None)
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        _measure("PostgreSQL", Path(folder), url)


def _measure(name: str, folder: Path, url: str | None) -> None:
    settings = Settings(data_dir=folder, database_url=url, min_free_bytes=0, requests_per_minute=10**6)
    prepare_folders(settings)
    secrecy.prepare(settings)
    store = Store(settings)
    store.migrate()
    with store.write() as session:
        finding, project, token = _fill(session)
    with store.write() as session:
        session.execute(text("ANALYZE"))
    app = create_app(settings, store, make(settings, store), {}, Web())
    pages = (
        *("/overview", "/findings", "/findings?state=needs_triage&order=severity&detected=true&severity=low"),
        *("/findings?older_than=7&project=p/p7", "/findings?expires_in=14", f"/findings/{finding}"),
        *("/projects", f"/projects/{project}", "/scans", "/scans?verdict=malicious"),
    )
    print(
        f"{name}: pages with {findings.FINDINGS} findings, {SCANS} scans (budget {BUDGET_MS} ms, {WEIGHT} bytes)"
    )
    asyncio.run(_pages(app, token, pages))
    store.close()


async def _pages(app: Any, token: str, pages: tuple[str, ...]) -> None:
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        for page in pages:
            times, work, weight = [], [], 0
            for _ in range(RUNS):
                began, busy = time.perf_counter(), time.process_time()
                answer = await client.get(page)
                times.append((time.perf_counter() - began) * 1_000)
                work.append((time.process_time() - busy) * 1_000)
                assert answer.status_code == 200, (page, answer.text[:500])
                weight = len(answer.content)
            p95, busy = (sorted(one)[int(RUNS * 0.95) - 1] for one in (times, work))
            print(f"  {page[:60]:60} p95 {p95:.0f} ms (processor {busy:.0f}), {weight} bytes")


def _fill(session: Session) -> tuple[uuid.UUID, uuid.UUID, str]:
    """A finding with a report, a project, and the token of one who sees all."""
    now = now_ms()
    made = [{"id": key, "path": f"p/p{n}", "created": now} for n, key in enumerate(findings.IDS)]
    session.execute(insert(Project), made)
    findings.fill(session)
    young = FindingRow.first_seen + (now - findings.T0 - 60 * DAY)
    session.execute(update(FindingRow).values(first_seen=young, behaviour=_BEHAVIOUR, place=FindingRow.state))
    session.execute(insert(Scan), [_scan(number, now) for number in range(SCANS)])
    session.execute(insert(GateAnswer), [_answer(number, now) for number in range(2_000)])
    rows = session.query(FindingRow.fingerprint, FindingRow.state).limit(5_000).all()
    session.execute(insert(StateRow), [_state(mark, state, now, n) for n, (mark, state) in enumerate(rows)])
    scanned(session, [LOOK, PROOF], findings.IDS[7], created=now)
    grants = tuple(accounts.Grant(role, Place()) for role in (Role.SECURITY_ADMIN, Role.AUDITOR))
    token = accounts.add_token(session, "bench", accounts.Start(grants, findings.IDS[0]), BY)
    key = session.query(FindingRow.id).filter(FindingRow.fingerprint == PROOF.fingerprint).scalar()
    return key, findings.IDS[7], token


_BEHAVIOUR = '{"attack":[],"forms":[""],"more":false,"proof":false,"severity":"medium","subjects":[]}'


def _scan(number: int, now: int) -> dict[str, Any]:
    created = now - number * 90 * DAY // SCANS
    verdict = ("no_findings", "malicious", "suspicious", "inconclusive")[number % 4]
    return {
        "id": uuid.UUID(int=10**9 + number),
        "target": f"pkg:npm/p{number}@1",
        "purl": f"pkg:npm/p{number}@1",
        "submitter": "ana",
        "created": created,
        "started": created + 5,
        "finished": created + 20_000 + number % 977,
        "status": "finished",
        "verdict": verdict,
        "decision": "review",
        "project_id": findings.IDS[number % findings.PROJECTS],
    }


_BODY: dict[str, Any] = {
    "project": "p/p0",
    "says": "Blocked: it was so",
    "waits": False,
    "reasons": [],
    "scans": [],
    "policies": [],
    "basis": "0" * 64,
}


def _answer(number: int, now: int) -> dict[str, Any]:
    result = ("block", "pass", "review", "missing")[number % 4]
    return {
        "id": uuid.UUID(int=10**10 + number),
        "project_id": findings.IDS[number % findings.PROJECTS],
        "commit": f"{number // 2:040x}",
        "result": result,
        "body": json.dumps(_BODY | {"commit": f"{number // 2:040x}", "result": result}),
        "digest": "0" * 64,
        "asked_by": "ci",
        "created": now - (2_000 - number) * 60_000,
    }


def _state(mark: str, state: str, now: int, number: int) -> dict[str, Any]:
    return {
        "place": state,
        "fingerprint": mark,
        "state": state,
        "remark": "",
        "who": "ana",
        "time": now - number * 90 * DAY // 5_000,
    }
