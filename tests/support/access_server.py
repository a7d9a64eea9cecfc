"""A server in this process with two groups, two projects and a finished scan in each: for tests of who may do what."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.api.app import create_app
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.governance import policies
from package_hunter.model.scan import Package
from package_hunter.notices import secrecy
from package_hunter.queue import make
from package_hunter.store import accounts, places, scans
from package_hunter.store.database import Store, store_dir
from package_hunter.store.members import Place
from package_hunter.store.scans import NewScan
from package_hunter.triage.projection import finding_id
from tests.support.duty_store import LOOK
from tests.support.service_fake import made_report

OWN, FOREIGN = "web/shop", "ops/pay"
TEST = Actor("test", "test")


@cache
def _tables() -> bytes:
    """The file of a store with its tables, made once: the migrations take a third of a second."""
    with tempfile.TemporaryDirectory() as name:
        made = Settings(data_dir=Path(name), min_free_bytes=0)
        prepare_folders(made)
        store = Store(made)
        store.migrate()
        store.close()
        return (store_dir(made) / "store.db").read_bytes()


def _put_tables(settings: Settings) -> None:
    folder = store_dir(settings)
    file = folder / "store.db"
    if file.exists():
        return
    file.write_bytes(_tables())
    os.chown(file, folder.stat().st_uid, folder.stat().st_gid)


class AccessServer:
    """`create_app` on a store of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        made = {
            "submissions_per_minute": 10_000,
            "credential_cache_seconds": 0.0,
            "min_free_bytes": 0,
        } | settings
        self.settings = Settings(data_dir=folder, **made)
        prepare_folders(self.settings)
        secrecy.prepare(self.settings)
        self.store = Store(self.settings)
        if self.store.is_sqlite:
            _put_tables(self.settings)
        self.store.migrate()
        self.queue = make(self.settings, self.store)
        self.app: FastAPI = create_app(self.settings, self.store, self.queue, {})
        self.ids: dict[str, uuid.UUID] = {}
        with self.store.write() as session:
            for path in (OWN, FOREIGN):
                group = path.split("/")[0]
                self.ids[group] = places.add_group(session, group, TEST).id
                self.ids[path] = places.add_project(session, path, TEST).id
        self.scans = {path: self._finished(path) for path in (OWN, FOREIGN)}
        self.findings = {path: str(finding_id(self.ids[path], LOOK.fingerprint)) for path in (OWN, FOREIGN)}
        with self.store.write() as session:
            for path in (OWN, FOREIGN):
                rule = {"rule": [{"decision": "review", "kind": "mining"}]}
                policies.put(session, TEST, self.place(session, path), rule)

    def _finished(self, path: str) -> str:
        with self.store.write() as session:
            new = NewScan(f"of {path}", "test", purl="pkg:npm/x", project=self.ids[path])
            scan = scans.add(session, new)
            self.queue.enqueue(session, scan.id)
        job = self.queue.claim("w")
        assert job is not None
        held = Package("pkg:npm/shared@1.0.0", "shared", "1.0.0")
        made = made_report(str(scan.id), "malicious", alerts=1)
        report = replace(made, findings=(LOOK,), packages=(held,))
        self.queue.finish(job, report)
        return str(scan.id)

    def close(self) -> None:
        """Close the store, once the threads that still ask it have given their connections back."""
        deadline = time.monotonic() + 10
        while self.store.engine.pool.checkedout() and time.monotonic() < deadline:  # type: ignore[attr-defined]
            time.sleep(0.01)
        self.store.close()

    def token(self, name: str, *roles: tuple[Role, str], home: str = OWN) -> str:
        """A token with these roles, each at a path (empty: everywhere)."""
        with self.store.write() as session:
            grants = tuple(accounts.Grant(role, self.place(session, path)) for role, path in roles)
            start = accounts.Start(grants, self.ids[home])
            return accounts.add_token(session, name, start, TEST)

    def place(self, session: Any, path: str) -> Place:
        """Everywhere, a group or a project."""
        if not path:
            return Place()
        if "/" in path:
            return Place(project=places.project_at(session, EVERYTHING, path))
        return Place(group=places.group_at(session, EVERYTHING, path))

    def ask(self, token: str | None, method: str, url: str, **more: Any) -> httpx.Response:
        """The answer to a request."""
        headers = httpx.Headers(more.pop("headers", {}))  # a list of pairs, where one comes twice
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                answer = await client.request(method, url, headers=headers, **more)
            await self.app.state.service.auth._noting.written()  # this loop ends: nothing may go on
            return answer

        return asyncio.run(send())
