"""A real server with people who propose and approve: ana and bea decide everywhere, dev develops web/shop."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select, update

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.serve import open_store
from package_hunter.store import accounts, members, places
from package_hunter.store.access_tables import Account
from package_hunter.store.identity_tables import SessionRow
from package_hunter.store.members import Place
from tests.support.archives import keep
from tests.support.bundle_samples import recording
from tests.support.service_harness import ARCHIVE, PASSWORD, USER, Running, open_folder, running, wait_for

TEST = Actor("test", "test")
PROJECT = "web/shop"


class Duties:
    """``server``, and what the API says to one of its people."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.base = f"http://127.0.0.1:{server.port}"
        store = open_store(server.settings)
        with store.write() as session:
            places.add_group(session, "web", TEST)
            project = places.add_project(session, PROJECT, TEST)
            self.project = str(project.id)
            for name in ("bea", "dev"):
                accounts.add_user(session, name, PASSWORD, accounts.Start(()), TEST)
            for name, role in (
                ("bea", Role.SECURITY_ADMIN),
                (USER, Role.SECURITY_ADMIN),
                (USER, Role.AUDITOR),
            ):
                members.give(session, name, role, Place(), TEST)
            at = Place(project=places.project_at(session, EVERYTHING, PROJECT))
            members.give(session, "dev", Role.DEVELOPER, at, TEST)
        store.close()

    def ask(self, method: str, path: str, body: Any = None, name: str = USER) -> Any:
        """What the API answers, which must be no refusal."""
        with httpx.Client(base_url=self.base, trust_env=False, timeout=60, auth=(name, PASSWORD)) as client:
            answer = client.request(method, f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def propose(self, kind: str, document: Any, why: str = "because", name: str = "dev") -> dict[str, Any]:
        """A proposal for the project."""
        body = {"kind": kind, "document": document, "reason": why}
        made: dict[str, Any] = self.ask("POST", f"/projects/{self.project}/proposals", body, name)
        return made

    def record(self, scan: str, events: int = 3) -> None:
        """Let a recording of a process that closes descriptors be kept of a scan."""
        store = open_store(self.server.settings)
        with tempfile.TemporaryDirectory() as folder:
            keep(store, uuid.UUID(scan), recording(Path(folder) / f"{scan}.scap", scan=scan, events=events))
        store.close()

    def sessions_grow_old(self, name: str) -> None:
        """As though they had begun three minutes ago."""
        store = open_store(self.server.settings)
        with store.write() as session:
            ours = select(Account.id).where(Account.name == name)
            old = update(SessionRow).where(SessionRow.account_id.in_(ours))
            session.execute(old.values(authenticated=SessionRow.authenticated - 180_000))
        store.close()

    def scan(self, body: bytes) -> str:
        """A finished scan of the project."""
        client = self.server.client
        where = {"project": PROJECT, "ecosystem": "npm"}
        answer = client.post("/api/v1/scans", params=where, content=body, headers=ARCHIVE)
        assert answer.is_success, answer.text
        scan = str(answer.json()["id"])
        wait_for(lambda: client.get(f"/api/v1/scans/{scan}").json()["status"] not in ("pending", "running"))
        return scan


@contextmanager
def duties(**settings: Any) -> Iterator[Duties]:
    """One for a block."""
    with open_folder() as folder, running(folder, **settings) as server:
        yield Duties(server)
