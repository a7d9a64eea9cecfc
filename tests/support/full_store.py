"""A store as after years of a team's work: 500 projects, 10,000 scans, 100,000 findings. For measurements.

One scan is stored as queues do it; all others are its rows anew, with keys of their own and the same bytes else, and
the results of all are good (`triage.results`)."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.governance import policies
from package_hunter.store import accounts, places
from package_hunter.store.access_tables import Account, Group, Member, Project
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import (
    FindingRow,
    OccurrenceRow,
    ScanResultRow,
    StateRow,
    WordsRow,
)
from package_hunter.store.gate_tables import GateAnswer
from package_hunter.store.history_tables import HistoryRow, UnsealedRow
from package_hunter.store.inventory_tables import Component, ComponentList, Holding
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.triage.results import Standing
from package_hunter.triage.values import Asks, State
from tests.support.duty_store import finding, scanned
from tests.support.proposals_world import World

GROUPS, PROJECTS, SCANS, FINDINGS, COMPONENTS, ENTRIES, PROPOSALS = 10, 500, 10_000, 100_000, 60, 20_000, 60
PEOPLE, TOKENS = 200, 50
PASSWORD = "correct horse"
_OF_A_SCAN = FINDINGS // SCANS
_DAY, _HOUR = 86_400_000, 3_600_000
_AT_ONCE = 2_000
_BY = Actor("ann", "test")
_STATES = [State.NEEDS_TRIAGE] * 6 + [State.ACCEPTED, State.FALSE_POSITIVE, State.CONFIRMED, State.RESOLVED]


@dataclass(frozen=True)
class Full:
    """What pages are opened of: one of each. ``package`` is a purl without version."""

    scan: str
    finding: str
    project: str
    group: str
    proposal: int
    package: str


def fill(store: Store) -> Full:
    """Fill an empty store. ``ann`` sees all of it, ``dora`` one group of ten; their password is `PASSWORD`."""
    world = World(store, "bea")
    world.now = now_ms()
    with store.write() as session:
        session.execute(update(Project).where(Project.path == "web/shop").values(created=1))
        projects = _places(session)
        _people(session, projects)
        _crowd(session, projects)
        first = scanned(
            session, [finding(n) for n in range(_OF_A_SCAN)], projects[0], created=now_ms() - _DAY
        )
    with store.write() as session:
        _scans(session, projects, first)
        _inventory(session, projects)
        _history(session, projects)
        _answers(session, projects)
    for number in range(PROPOSALS):
        world.propose(
            "bea", {"approvals": 1, "days": 1 + number % 300}, f"g{number % GROUPS}/p{number % GROUPS}"
        )
    with store.write() as session:
        session.execute(text("ANALYZE"))
        proof = session.scalars(select(FindingRow.id).where(FindingRow.last_scan == first)).first()
        group = session.scalars(select(Group.id).where(Group.path == "g0")).one()
    return Full(str(first), str(proof), str(projects[0]), str(group), 1, "pkg:npm/shared0")


def _places(session: Session) -> list[uuid.UUID]:
    for number in range(GROUPS):
        places.add_group(session, f"g{number}", _BY)
    made = [places.add_project(session, f"g{n % GROUPS}/p{n}", _BY).id for n in range(PROJECTS)]
    rule = {"rule": [{"name": "hooks", "decision": "review", "kind": "git_hook"}]}
    policies.put(session, _BY, Place(), {"rule": rule["rule"]})
    for number in range(GROUPS):
        group = places.group_at(session, EVERYTHING, f"g{number}")
        policies.put(session, _BY, Place(group=group), {"require": [{"scan": "merge_request"}]})
    return made


def _people(session: Session, projects: list[uuid.UUID]) -> None:
    everywhere = (Role.SECURITY_ADMIN, Role.AUDITOR, Role.ADMINISTRATOR)
    grants = tuple(accounts.Grant(role, Place()) for role in everywhere)
    accounts.add_user(session, "ann", PASSWORD, accounts.Start(grants, projects[0]), _BY)
    group = Place(group=places.group_at(session, EVERYTHING, "g0"))
    start = accounts.Start((accounts.Grant(Role.ANALYST, group),), projects[0])
    accounts.add_user(session, "dora", PASSWORD, start, _BY)


def _crowd(session: Session, projects: list[uuid.UUID]) -> None:
    """Accounts that nobody signs in with (a password's digest is slow to make), and tokens of machines."""
    for number in range(PEOPLE):
        key, project = uuid.uuid4(), projects[number % PROJECTS]
        values = {"home": project, "created": now_ms(), "person": key}
        session.add(Account(id=key, name=f"user-{number}", kind="user", **values))
        session.flush()
        place = {"place": project.hex, "project_id": project}
        session.add(Member(account_id=key, role=Role.VIEWER.value, created=now_ms(), **place))
    for number in range(TOKENS):
        accounts.add_token(session, f"machine-{number}", accounts.Start((), projects[number]), _BY)


def _scans(session: Session, projects: list[uuid.UUID], first: uuid.UUID) -> None:
    chance = random.Random(17)
    scan = _row(session.get_one(Scan, first))
    result = _row(session.get_one(ScanResultRow, first))
    seen = [_row(one) for one in session.scalars(select(OccurrenceRow).where(OccurrenceRow.scan_id == first))]
    found = {one.fingerprint: _row(one) for one in session.scalars(select(FindingRow))}
    standing = Standing(session)
    made: dict[Any, list[dict[str, Any]]] = {
        t: [] for t in (Scan, ScanResultRow, FindingRow, StateRow, WordsRow, OccurrenceRow)
    }
    for number in range(1, SCANS):
        key, project = uuid.UUID(int=chance.getrandbits(128)), projects[number % PROJECTS]
        created = now_ms() - (SCANS - number) * 90 * _DAY // SCANS
        verdict = chance.choice(("malicious", "suspicious", "no_findings", "no_findings"))
        decision = {"malicious": "block", "suspicious": "review", "no_findings": "pass"}[verdict]
        told = {"verdict": verdict, "decision": decision, "project_id": project}
        outcomes = str(result["outcomes"])
        for one in seen:
            mark, now = (
                f"{chance.getrandbits(120):032x}",
                {"created": created, "scan": key, "project": project},
            )
            outcomes = outcomes.replace(one["fingerprint"], mark)
            for table, row in _found(one, found[one["fingerprint"]], mark, now, chance):
                made[table].append(row)
        times = {"created": created, "started": created + 50, "finished": created + 9_000}
        made[Scan].append({**scan, "id": key, "target": f"service{number % PROJECTS}", **told, **times})
        basis = standing.basis(project)
        made[ScanResultRow].append({**result, "scan_id": key, "basis": basis, "outcomes": outcomes, **told})
        if number % _AT_ONCE == _AT_ONCE - 1:
            _insert(session, made)
    _insert(session, made)


def _found(
    seen: dict[str, Any], like: dict[str, Any], mark: str, at: dict[str, Any], chance: random.Random
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A finding's rows."""
    key, package = uuid.UUID(int=chance.getrandbits(128)), f"pkg:npm/name{chance.randrange(20_000)}"
    title = f"It connected to host{chance.randrange(10**6)}.example and wrote ~/.config/thing"
    facts = seen["facts"].replace(seen["fingerprint"], mark)
    own = {"facts": facts, "package": package, "fingerprint": mark, "project_id": at["project"]}
    times = {"first_seen": at["created"], "last_seen": at["created"]}
    scans = {"first_scan": at["scan"], "last_scan": at["scan"]}
    state = {**_state(chance), "severity": chance.randrange(5)}
    if state["place"] is not None:
        state["place"] = at["project"].hex
        said = {
            "place": state["place"],
            "fingerprint": mark,
            "state": state["state"],
            "until": state["until"],
        }
        yield (
            StateRow,
            {**said, "reason": "other", "remark": "it was so", "who": "bea", "time": at["created"] + _HOUR},
        )
    yield FindingRow, {**like, **own, "id": key, "title": title, **times, **scans, **state}
    yield WordsRow, {"finding_id": key, "words": f"{title} {package} {like['kind']}".lower()}
    yield OccurrenceRow, {**seen, **own, "scan_id": at["scan"]}


def _state(chance: random.Random) -> dict[str, Any]:
    """What a finding's row says of its state: most wait, an acceptance in a hundred ended."""
    state = chance.choice(_STATES)
    ended = state is State.NEEDS_TRIAGE and chance.random() < 0.01
    days = -chance.randrange(1, 60) if ended else chance.randrange(1, 366)
    until = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)).isoformat()
    return {
        "state": state.value,
        "asks": Asks.EXPIRED.value if ended else None,
        "until": until if ended or state is State.ACCEPTED else None,
        "place": None if state is State.NEEDS_TRIAGE and not ended else "",
    }


def _answers(session: Session, projects: list[uuid.UUID]) -> None:
    """What the gate said of a thousand commits: of each twice."""
    rows = []
    for number in range(2_000):
        result = ("block", "pass", "review", "missing")[number % 4]
        commit = f"{number // 2:040x}"
        said = {"project": "g0/p0", "says": "Blocked: it was so", "waits": False, "basis": "0" * 64}
        body = {**said, "commit": commit, "result": result, "reasons": [], "scans": [], "policies": []}
        times = {"created": now_ms() - (2_000 - number) * 60_000, "asked_by": "ci", "digest": "0" * 64}
        place = {"id": uuid.UUID(int=10**10 + number), "project_id": projects[number // 2 % PROJECTS]}
        rows.append({**place, **times, "commit": commit, "result": result, "body": json.dumps(body)})
    session.execute(insert(GateAnswer), rows)


def _insert(session: Session, made: dict[Any, list[dict[str, Any]]]) -> None:
    for table, rows in made.items():
        if rows:
            session.execute(insert(table), rows)
        rows.clear()


def _inventory(session: Session, projects: list[uuid.UUID]) -> None:
    number = session.scalar(select(Component.id).order_by(Component.id.desc())) or 0
    latest = {scan.project_id: scan for scan in session.scalars(select(Scan).order_by(Scan.created))}
    for n, project in enumerate(projects):
        key = f"{n:064x}"
        session.execute(insert(ComponentList).values(digest=key, created=1))
        names = [f"pkg:npm/own{n}-{k}" for k in range(COMPONENTS - 5)] + [
            f"pkg:npm/shared{k}" for k in range(5)
        ]
        rows = [
            {"id": number + k, "list": key, "base": base, "version": "1.0.0", "direct": False, "exact": True}
            for k, base in enumerate(names, 1)
        ]
        session.execute(insert(Component), rows)
        number += len(rows)
        scan = latest[project]
        held = {"id": uuid.uuid4(), "project_id": project, "scan_id": scan.id, "list": key, "source": "scan"}
        session.execute(
            insert(Holding), [{**held, "name": scan.target, "owner": "ann", "created": scan.created}]
        )


def _history(session: Session, projects: list[uuid.UUID]) -> None:
    rows = [
        {
            "time": now_ms() - (ENTRIES - n) * 60_000,
            "who": ("ann", "bea", "dora")[n % 3],
            "origin": "192.0.2.1",
            "action": ("finding.state", "finding.claim", "scan.cancel")[n % 3],
            "object": f"thing {n}",
            "project_id": projects[n % PROJECTS],
            "after": '{"state":"accepted"}',
        }
        for n in range(ENTRIES)
    ]
    session.execute(insert(HistoryRow), rows)
    told = select(UnsealedRow.entry_id)
    late = session.scalars(select(HistoryRow.id).where(HistoryRow.id.not_in(told))).all()
    session.execute(insert(UnsealedRow), [{"entry_id": key, "time": now_ms()} for key in late])


def _row(entity: Any) -> dict[str, Any]:
    return {column.key: getattr(entity, column.key) for column in entity.__table__.columns}
