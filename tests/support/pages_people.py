"""A store for pages: people of each role, and names that were chosen by an enemy wherever somebody can choose one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.audit.sealer import Sealer
from package_hunter.model.scan import ScanStatus
from package_hunter.store import accounts, history, passwords, scans
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.models import WorkerRow
from package_hunter.store.scans import NewScan
from package_hunter.triage.projection import finding_id
from tests.support import duty_store
from tests.support.access_server import OWN, TEST, AccessServer
from tests.support.service_harness import PASSWORD, Running, open_folder, running

HTML = "<img src=x onerror=alert(1)><script>alert(1)</script>"
BIDI = "left\u202eright\u2066\u200b\ufeff"
TERMINAL = "\x1b]0;pwned\x07\x1b[2J\x00"
LONG = "A" * 10_000
ALL = f"{HTML} {BIDI} {TERMINAL} '\"</textarea></pre> {LONG}"
"""Everything of it at once, where any text can stand."""
USER_NAME = "<b onmouseover=alert(1)>x</b>"
TOKEN_NAME = '"><script>alert(1)</script>' + "A" * 90
"""What a name may be: printable, no colon, 128 characters at most."""

ROLES: dict[str, tuple[tuple[Role, str], ...]] = {
    "boss": ((Role.SECURITY_ADMIN, ""), (Role.ADMINISTRATOR, ""), (Role.AUDITOR, "")),
    "secadmin": ((Role.SECURITY_ADMIN, ""),),
    "analyst": ((Role.ANALYST, "web"),),
    "developer": ((Role.DEVELOPER, OWN),),
    "viewer": ((Role.VIEWER, OWN),),
    "nothing": (),
}
"""People who can sign in with `PASSWORD`, by name."""
_BOSS = ((Role.SECURITY_ADMIN, ""), (Role.ADMINISTRATOR, ""), (Role.AUDITOR, ""))


@dataclass(frozen=True)
class World:
    """Ids of what was made."""

    project: str
    group: str
    scan: str
    dead: str
    hostile: str
    finding: str


def build(folder: Path, **settings: Any) -> World:
    """Fill a server's data directory; nothing has it open afterwards."""
    server = AccessServer(folder, **settings)
    hashed = passwords.hash_password(PASSWORD)  # once: it is slow on purpose
    with server.store.write() as session, patch.object(accounts, "hash_password", lambda _: hashed):
        for name, roles in ROLES.items():
            grants = tuple(accounts.Grant(role, server.place(session, path)) for role, path in roles)
            start = accounts.Start(grants, server.ids[OWN])
            accounts.add_user(session, name, PASSWORD, start, TEST)
        start = accounts.Start((accounts.Grant(Role.VIEWER, server.place(session, OWN)),), server.ids[OWN])
        accounts.add_user(session, USER_NAME, PASSWORD, start, TEST, why=ALL[:2_000])
        accounts.add_token(session, TOKEN_NAME, start, TEST)
        history.record(
            session, Actor(HTML, TERMINAL), Change("scan.cancel", ALL, {"a": ALL}, {"b": BIDI}, ALL)
        )
        history.record(session, Actor("ana", "test"), Change("new.thing", "x"))
        dead = _failed(session, server)
        _workers(session)
        hostile = duty_store.scanned(
            session, [duty_store.finding(77, title=ALL)], server.ids[OWN], name=ALL[:400]
        )
    token = server.token("asks", *_BOSS)
    _rest(server, token)
    Sealer(server.store, server.settings).seal()
    with server.store.write() as session:
        history.record(session, TEST, Change("user.unlock", "ana"))
    server.store.close()
    return World(
        project=str(server.ids[OWN]),
        group=str(server.ids["web"]),
        scan=server.scans[OWN],
        dead=dead,
        hostile=str(hostile),
        finding=str(finding_id(server.ids[OWN], f"{77:032x}")),
    )


def _failed(session: Any, server: AccessServer) -> str:
    scan = scans.add(session, NewScan(ALL, "ana", sha256="0" * 64, size=1, project=server.ids[OWN]))
    scan.status, scan.finished, scan.dead, scan.reason = ScanStatus.FAILED.value, now_ms(), now_ms(), ALL
    return str(scan.id)


def _workers(session: Any) -> None:
    now = now_ms()
    can = "ecosystem:npm ecosystem:python ecosystem:ruby form:1"
    common = {"form": 1, "started": now - 3_600_000, "version": "1.0.0", "engine": "crun", "kernel": "6.1.0"}
    common |= {"machine": "x86_64", "image": "a" * 64, "rules": "b" * 64, "can": can, "slots": 2}
    session.add(WorkerRow(name="box-1.example", seen=now + 3_600_000, **common))
    session.add(WorkerRow(name="box-2.example", seen=1_700_000_000_000, **common))
    session.add(WorkerRow(name="box-3.example", seen=now + 3_600_000, lacks=ALL, **common))
    session.add(WorkerRow(name="box-4.example", seen=now + 3_600_000, drain=now, **common))


def _rest(server: AccessServer, token: str) -> None:
    """What the API takes: destinations, providers, rules."""
    mail = {"kind": "mail", "to": ["security@mail.example"]}
    provider = {"name": "company", "kind": "oidc", "issuer": "https://login.example", "client_id": HTML}
    forge = {"name": "lab", "kind": "gitlab", "issuer": "https://gitlab.example", "client_id": "hunter"}
    rule = {"name": "web", "provider": "lab", "project": "web/{project_path}"}
    rule |= {"conditions": {"project_path": [f"web/{HTML}*"], "namespace_id": ["7"]}}
    for url, body in (
        ("/destinations", {"name": HTML[:100], "settings": mail}),
        (f"/projects/{server.ids[OWN]}/destinations", {"name": "chat", "settings": mail}),
        ("/destinations/test", {"name": HTML[:100]}),
        ("/identity/providers", provider),
        ("/identity/providers", forge),
        ("/identity/ci-rules", rule),
        ("/tokens", {"name": "narrow", "roles": [], "permissions": ["project:scan:read"], "projects": [OWN]}),
    ):
        answer: httpx.Response = server.ask(token, "POST", f"/api/v1{url}", json=body)
        assert answer.is_success, (url, answer.text)


@contextmanager
def served() -> Iterator[tuple[World, Running]]:
    """A real server on such a store; no scan runs. Before a browser: Playwright keeps a loop in its thread, and there
    is no second one."""
    with open_folder() as folder:
        world = build(folder)
        with running(folder, mode="serve-only") as server:
            yield world, server


@contextmanager
def signed_in(base: str, name: str) -> Iterator[httpx.Client]:
    """Somebody with a session, without a browser."""
    with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/settings"})
        assert answer.status_code == 303, answer.text
        yield client
