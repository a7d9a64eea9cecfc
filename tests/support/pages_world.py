"""A server's store with all that pages show: findings in every state, with hostile names; a gate's answers; an
exhausted week. Real rows by the program's own functions; no box ran."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy import update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.governance import policies
from package_hunter.governance.gate import record
from package_hunter.model.finding import Evidence
from package_hunter.policy.decide import today
from package_hunter.store import accounts, members, places
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.members import Place
from package_hunter.triage import claims, notes, states
from package_hunter.triage.projection import finding_id
from package_hunter.triage.values import NewState, Reason, State
from tests.support.duty_store import LOOK, PROOF, finding, scanned
from tests.support.judge_samples import BLAME
from tests.support.service_harness import PASSWORD, USER

ANA, BEN = Actor("ana", "192.0.2.1"), Actor("ben", "192.0.2.2")
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m\u200b"
COMMIT = "4f2d1c0b9a8e7d6c5b4a39281706f5e4d3c2b1a0"
DAY = 86_400_000


@dataclass
class Pages:
    """Ids by name: projects by path, findings ``look``, ``proof``, ``hostile``, ``expiring``."""

    projects: dict[str, uuid.UUID]
    findings: dict[str, str]
    scan: str


def fill(store: Store, many: int = 60) -> Pages:
    """Groups ``web`` and ``ops``, their projects; ana (who is there already) and ben lead security, dev develops
    web/shop; ``many`` findings of no account."""
    with store.write() as session:
        found = {}
        for group in ("web", "ops"):
            places.add_group(session, group, ANA)
        for path in ("web/shop", "web/blog", "ops/pay"):
            found[path] = places.add_project(session, path, ANA).id
        shop = places.project_at(session, EVERYTHING, "web/shop")
        start = accounts.Start((accounts.Grant(Role.DEVELOPER, Place(project=shop)),), shop.id)
        accounts.add_user(session, "dev", PASSWORD, start, ANA)
        everywhere = accounts.Grant(Role.SECURITY_ADMIN, Place())
        accounts.add_user(session, "ben", PASSWORD, accounts.Start((everywhere,), shop.id), ANA)
        for role in (Role.SECURITY_ADMIN, Role.AUDITOR):
            members.give(session, USER, role, Place(), BEN)
        made = _findings(session, found, many)
        _gate(session, shop)
        return made


def _findings(session: Session, at: dict[str, uuid.UUID], many: int) -> Pages:
    shop, now = at["web/shop"], now_ms()
    chain = [{"cmdline": "npm install"}, {"cmdline": "sh -c node steal.js"}, {"cmdline": f"node {HOSTILE}"}]
    seen = tuple(
        Evidence(1_790_000_000_000_000_000 + n, f"It read {n} {HOSTILE} {'long ' * 80}", {"chain": chain})
        for n in range(30)
    )
    bad = replace(
        LOOK,
        fingerprint="3" * 32,
        severity="high",
        title=f"It wrote a hook {HOSTILE}",
        blame=replace(BLAME, package=f"pkg:npm/{HOSTILE}@1.0.0", path=("app", HOSTILE)),
        evidence=seen,
        subjects=(HOSTILE, "/home/dev/.git/hooks/pre-commit"),
        explain=("Hooks run on each commit.",),
        advice=("Look at the hook.",),
    )
    soon = replace(LOOK, fingerprint="4" * 32, title="It told a host about the machine")
    some = [finding(100 + n, title=f"It wrote the hook number {n}") for n in range(many)]
    scan = scanned(session, [LOOK, PROOF, bad, soon, *some], shop, created=now - 2 * DAY)
    scanned(session, [LOOK], at["ops/pay"], created=now - DAY)
    scanned(session, [], at["web/blog"], reasons=["The install phase failed."], created=now - DAY)
    for number in range(30):
        scanned(
            session,
            [LOOK] if number % 3 else [],
            at["web/blog"],
            purl=f"pkg:npm/p{number}@1",
            created=now - number * 3 * DAY,
        )
    for number, one in enumerate(some):
        when = now - (number + 1) * DAY
        session.execute(
            update(FindingRow).where(FindingRow.fingerprint == one.fingerprint).values(first_seen=when)
        )
    place = Place(project=session.get_one(Project, shop))
    until = today() + dt.timedelta(days=5)
    new = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, "agreed, ticket 12", until)
    states.set_state(session, ANA, place, soon.fingerprint, new)
    ids = {
        name: str(finding_id(shop, one.fingerprint))
        for name, one in {"look": LOOK, "proof": PROOF, "hostile": bad, "expiring": soon}.items()
    }
    row = session.get_one(FindingRow, uuid.UUID(ids["hostile"]))
    first = notes.add(session, BEN, row, f"asked its authors {HOSTILE}")
    notes.add(session, ANA, row, "and?", first.id)
    claims.claim(session, BEN, session.get_one(FindingRow, uuid.UUID(ids["proof"])))
    return Pages(at, ids, str(scan))


def _gate(session: Session, shop: Project) -> None:
    rules = {
        "rule": [
            {"name": "no hooks", "decision": "review", "kind": "git_hook", "severity": "medium"},
            {"decision": "block", "verdict": "malicious", "package": "pkg:npm/*", "mode": "warn"},
        ],
        "require": [{"scan": "merge_request", "projects": ["web/*"]}],
    }
    group = places.group_at(session, EVERYTHING, "web")
    policies.put(session, ANA, Place(group=group), rules)
    scan = scanned(session, [LOOK, PROOF], shop.id, name="of a commit", created=now_ms())
    origin = ScanOrigin(scan_id=scan, project_id=shop.id, commit=COMMIT, merge_request="7", known="fetched")
    origin.created = now_ms()
    session.add(origin)
    session.flush()
    record.ask(session, shop, COMMIT, "ci", "standard")
