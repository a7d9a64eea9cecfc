"""CI jobs without a stored secret: the rules over their forges' claims, and the short tokens that jobs get by them."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access import token_form
from package_hunter.access.actor import Actor
from package_hunter.access.identity import Identity, Method
from package_hunter.access.job import JobClaims
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import SERVER_ROLES, Role
from package_hunter.access.view import EVERYTHING, Access
from package_hunter.errors import UsageError
from package_hunter.store import history, members, places
from package_hunter.store.access_tables import MAX_PATH, Group, Project
from package_hunter.store.base import MAX_NAME
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import (
    MAX_LABEL,
    CiRuleRow,
    ForgeProjectRow,
    JobTokenRow,
    ProviderRow,
)
from package_hunter.store.places import MissingError, TakenError
from package_hunter.store.rights import known_permissions
from package_hunter.store.tokens import token_digest

TOKEN_MS = 3_600_000
_MAX_TOKEN_MS = 6 * 3_600_000
_KEPT_MS = 2 * 86_400_000  # longer than any forge's token that is believed: none is exchanged twice
USUAL = (
    *(Permission.PROJECT_READ, Permission.SCAN_READ, Permission.SCAN_SUBMIT, Permission.REPORT_READ),
    Permission.GATE_READ,
)
"""What a rule gives where it does not say."""


class RefusedError(UsageError):
    """The job is what it says, and gets nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which jobs of a provider may do what where: `CiRuleRow`, read."""

    name: str
    provider: str
    conditions: Mapping[str, Sequence[str]]
    project: str
    permissions: tuple[Permission, ...] = USUAL
    creates: bool = False
    owner_claim: str | None = None
    owner_role: Role | None = None


def add_rule(session: Session, provider: ProviderRow, rule: Rule, by: Actor, why: str | None = None) -> None:
    """Store a rule that was checked (`identity.jobs.check_rule`); UsageError."""
    if session.get(CiRuleRow, rule.name) is not None:
        raise TakenError(f"There is a rule {rule.name!r} already.", "Remove it first.")
    if not 0 < len(rule.name) <= MAX_LABEL or not rule.name.isprintable() or len(rule.project) > MAX_PATH:
        raise UsageError("The rule's name or project is empty or too long.")
    if not rule.permissions or not all(p.in_projects for p in rule.permissions):
        raise UsageError(
            "A job can be given permissions of projects only.", "Those that begin with project:."
        )
    if rule.owner_role is not None and rule.owner_role in SERVER_ROLES:
        raise UsageError(f"{rule.owner_role.value} is a role for the whole server.")
    row = CiRuleRow(
        name=rule.name,
        provider_id=provider.id,
        conditions=json.dumps({claim: list(wanted) for claim, wanted in rule.conditions.items()}),
        permissions=json.dumps([p.value for p in rule.permissions]),
        project=rule.project,
        creates=rule.creates,
        owner_claim=rule.owner_claim,
        owner_role=None if rule.owner_role is None else rule.owner_role.value,
        created=now_ms(),
    )
    session.add(row)
    history.record(session, by, Change("ci-rule.add", rule.name, after=_said(rule), why=why))


def _said(rule: Rule) -> dict[str, Any]:
    return {
        "provider": rule.provider,
        "conditions": {claim: list(wanted) for claim, wanted in rule.conditions.items()},
        "project": rule.project,
        "permissions": [p.value for p in rule.permissions],
        "creates": rule.creates,
        "owner": [rule.owner_claim, rule.owner_role],
    }


def rules(session: Session, provider: uuid.UUID | None = None) -> list[Rule]:
    """All (of a provider), by name."""
    query = select(CiRuleRow, ProviderRow.name).join(ProviderRow, ProviderRow.id == CiRuleRow.provider_id)
    if provider is not None:
        query = query.where(CiRuleRow.provider_id == provider)
    found = session.execute(query.order_by(CiRuleRow.name)).all()
    return [_rule(row, name) for row, name in found]


def _rule(row: CiRuleRow, provider: str) -> Rule:
    held = known_permissions(json.loads(row.permissions))
    return Rule(
        row.name,
        provider,
        json.loads(row.conditions),
        row.project,
        tuple(p for p in Permission if p in held),
        row.creates,
        row.owner_claim,
        Role(row.owner_role) if row.owner_role in set(Role) else None,
    )


def remove_rule(session: Session, name: str, by: Actor, why: str | None = None) -> None:
    """Take a rule away, and the tokens that jobs have by it; MissingError."""
    row = session.get(CiRuleRow, name)
    if row is None:
        raise MissingError(f"There is no rule {name[:64]!r}.", "See package-hunter identity ci-rules.")
    provider = session.get_one(ProviderRow, row.provider_id)
    said = _said(_rule(row, provider.name))
    for token in session.scalars(select(JobTokenRow).where(JobTokenRow.rule == name)):
        token.expires = now_ms()
    session.delete(row)
    history.record(session, by, Change("ci-rule.remove", name, before=said, why=why))


@dataclass(frozen=True, slots=True)
class Job:
    """A job that its forge vouches for. ``forge_id``: its project's number there; ``jti`` and ``expires`` (ms) of the
    forge's token; ``claims`` all that it says, ``said`` what we keep of it."""

    jti: str
    expires: int
    forge_id: str
    said: JobClaims
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Granted:
    """What a job got: told this once."""

    token: str
    project: str
    permissions: tuple[Permission, ...]
    expires: int


def exchange(
    session: Session, provider: ProviderRow, job: Job, rule: Rule, path: str, origin: str
) -> Granted:
    """A token for a job that fits the rule, for the project at ``path``: made, with the groups above it, where the
    rule says so. RefusedError: the token was exchanged before, or the project is another one's."""
    now = now_ms()
    session.execute(delete(JobTokenRow).where(JobTokenRow.created <= now - _KEPT_MS))
    used = select(JobTokenRow.sha256).where(
        JobTokenRow.provider_id == provider.id, JobTokenRow.jti == job.jti
    )
    if session.scalar(used) is not None:
        raise RefusedError("This token was exchanged before.", "A job exchanges its token once.")
    by = Actor(f"ci:{rule.name}", origin)
    project = _project(session, provider, job, rule, path, by)
    expires = min(max(job.expires, now + TOKEN_MS), now + _MAX_TOKEN_MS)
    value = token_form.new_token()
    row = JobTokenRow(
        sha256=token_digest(value),
        provider_id=provider.id,
        jti=job.jti,
        rule=rule.name,
        project_id=project.id,
        permissions=json.dumps([p.value for p in rule.permissions]),
        claims=json.dumps(dataclasses.asdict(job.said)),
        created=now,
        expires=expires,
    )
    session.add(row)
    session.flush()
    return Granted(value, path, rule.permissions, expires)


def _project(session: Session, provider: ProviderRow, job: Job, rule: Rule, path: str, by: Actor) -> Project:
    try:
        found = places.project_at(session, EVERYTHING, path)
    except MissingError:
        if not rule.creates:
            raise RefusedError(
                f"There is no project {path[:MAX_PATH]!r}.", "Make it, or let the rule make projects."
            ) from None
        found = _make_project(session, job, rule, path, by)
    bound = session.get(ForgeProjectRow, (found.id, provider.id))
    if bound is None:
        row = ForgeProjectRow(
            project_id=found.id, provider_id=provider.id, forge_id=job.forge_id, created=now_ms()
        )
        session.add(row)
        after = {"provider": provider.name, "forge_id": job.forge_id, "forge_path": job.said.project}
        history.record(session, by, Change("project.bind", path, after=after, project=found.id))
    elif bound.forge_id != job.forge_id:
        raise RefusedError(
            f"The project {path!r} is bound to another project of the forge (number {bound.forge_id}).",
            "One was made anew under the old name. If it is meant: package-hunter identity rebind.",
        )
    return found


def _make_project(session: Session, job: Job, rule: Rule, path: str, by: Actor) -> Project:
    why = f"first seen: a job of {job.said.project} at {job.said.issuer}"
    for above in reversed(places.above(path)):
        if session.scalar(select(Group.id).where(Group.path == above)) is None:
            places.add_group(session, above, by, why)
    made = places.add_project(session, path, by, why)
    owner = job.claims.get(rule.owner_claim) if rule.owner_claim else None
    account = members.account(session, owner) if isinstance(owner, str) else None
    if account is not None and account.kind == "user" and rule.owner_role is not None:
        members.give(session, account.name, rule.owner_role, members.Place(project=made), by, why)
    return made


def rebind(session: Session, path: str, by: Actor, why: str | None = None) -> None:
    """Let the next job that comes for this project say which project of the forge it is; MissingError."""
    project = places.project_at(session, EVERYTHING, path)
    rows = session.scalars(select(ForgeProjectRow).where(ForgeProjectRow.project_id == project.id)).all()
    if not rows:
        raise MissingError(f"The project {path!r} is bound to none of a forge.", "")
    for row in rows:
        session.delete(row)
    before = {"forge_ids": [row.forge_id for row in rows]}
    history.record(session, by, Change("project.unbind", path, before=before, why=why, project=project.id))


def find(session: Session, value: str) -> Identity | None:
    """The job that has this token, while it is good. Writes nothing."""
    query = (
        select(JobTokenRow, Project.path)
        .join(Project, Project.id == JobTokenRow.project_id)
        .where(JobTokenRow.sha256 == token_digest(value), JobTokenRow.expires > now_ms())
    )
    found = session.execute(query).first()
    if found is None:
        return None
    row, path = found
    said = json.loads(row.claims)
    name = f"job:{path}"
    name = name if len(name) <= MAX_NAME else f"job:{row.project_id.hex}"
    held = known_permissions(json.loads(row.permissions))
    return Identity(
        name,
        Method.JOB,
        expires=row.expires,
        job=JobClaims(**{**said, "owners": tuple(said["owners"])}),
        access=Access(name, projects={row.project_id: held}, home=row.project_id),
    )
