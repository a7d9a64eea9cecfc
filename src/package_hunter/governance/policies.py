"""Policies by scope: all, a group, a project. Each is a document with versions; what holds for a project are all above
it and its own, and the stricter wins (`policy.layers`)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.governance import policy_file
from package_hunter.governance.document import Document, canonical, digest_of, policy_of, require_scannable
from package_hunter.policy.layers import Effective, Layer
from package_hunter.policy.model import Policy
from package_hunter.store import history
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.batches import batches
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.members import Place
from package_hunter.store.policy_tables import PolicyRow
from package_hunter.triage.chain import Chains, keys, scope_name
from package_hunter.triage.values import Grant

NONE = "0" * 64
"""The digest of a scope that has no policy: what a first one is compared with."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A scope's policy as it stands. ``document`` None: there is none; ``version`` 0: there never was one."""

    document: Document | None
    digest: str
    version: int
    who: str = ""
    time: int = 0
    reviewed: bool = False


def current(session: Session, place: Place) -> Versioned:
    """What stands for this scope. That of all does not show the server's file, which stands in where there is none."""
    row = session.scalar(
        select(PolicyRow).where(PolicyRow.place == place.key).order_by(PolicyRow.version.desc()).limit(1)
    )
    return Versioned(None, NONE, 0) if row is None else _versioned(row)


def versions(session: Session, place: Place) -> Sequence[PolicyRow]:
    """All versions of a scope's policy, newest first."""
    query = select(PolicyRow).where(PolicyRow.place == place.key).order_by(PolicyRow.version.desc())
    return session.scalars(query).all()


def scopes(session: Session) -> list[Place]:
    """The scopes that have a policy of their own, by name."""
    rows = session.execute(select(PolicyRow.group_id, PolicyRow.project_id).distinct()).all()
    every = [
        Place(
            None if group is None else session.get(Group, group),
            None if project is None else session.get(Project, project),
        )
        for group, project in rows
    ]
    return sorted((p for p in every if current(session, p).document is not None), key=scope_name)


def _versioned(row: PolicyRow) -> Versioned:
    document = None if row.document is None else json.loads(row.document)
    return Versioned(document, row.digest, row.version, row.who, row.time, row.proposal is not None)


def check(place: Place, document: Mapping[str, Any]) -> Policy:
    """What the document says, as this scope's policy; UsageError says what is wrong and where."""
    return policy_of(document, f"the policy of {scope_name(place)}", narrow=_narrow(place))


def check_new(place: Place, document: Mapping[str, Any]) -> Policy:
    """The same of one that somebody wants: its schedules name packages that can be scanned, too (what stands already
    is read whatever it names, and `schedules.serve` says what it left out); UsageError."""
    found = check(place, document)
    require_scannable(found)
    return found


def put(
    session: Session,
    by: Actor,
    place: Place,
    document: Mapping[str, Any] | None,
    why: str | None = None,
    grant: Grant | None = None,
) -> Versioned:
    """Let a document hold for a scope from now on (None: the scope has none any more). It is the *apply* of an approved
    proposal (``grant``); without one the version is marked unreviewed. UsageError where the document is wrong, or
    something else stands by now than what the proposal was made from."""
    hold(session, FINDINGS)
    if document is not None:
        check_new(place, document)
    before = current(session, place)
    if grant is not None and grant.base not in (None, before.digest):
        raise UsageError(
            "The policy was changed meanwhile.", "Look at what stands now, and begin from there."
        )
    text = None if document is None else canonical(document)
    row = PolicyRow(
        place=place.key,
        version=before.version + 1,
        group_id=None if place.group is None else place.group.id,
        project_id=None if place.project is None else place.project.id,
        digest=NONE if document is None else digest_of(document),
        document=text,
        who=by.name[:160],
        time=now_ms(),
        why=None if why is None else why[: history.MAX_WHY],
        proposal=None if grant is None else grant.proposal,
    )
    session.add(row)
    session.flush()
    said = {"version": row.version, "digest": row.digest, "document": document, "proposal": row.proposal}
    was = {"version": before.version, "digest": before.digest, "document": before.document}
    change = Change("policy.put", scope_name(place), was, said, why, row.project_id)
    history.record(session, by, change)
    return _versioned(row)


def effective(session: Session, project: uuid.UUID, chains: Chains | None = None) -> Effective:
    """What holds for a project."""
    return over(session, (chains or Chains(session)).of(project))


def texts(session: Session, places: Sequence[Place]) -> list[tuple[str, Document, bool]]:
    """The scopes whose documents hold where these places do, the widest first, and whether each is of less than all."""
    found = documents(session, keys(places))
    made = []
    for place in places:
        document = found.get(place.key)
        if document is not None or not _narrow(place):
            said = policy_file.document() if document is None else document
            made.append((scope_name(place), said, _narrow(place)))
    return made


def over(
    session: Session, places: Sequence[Place], instead: Mapping[str, Document | None] | None = None
) -> Effective:
    """What holds where these places do, the widest first. ``instead``: documents by `Place.key`, as though they stood
    there (None: as though there were none)."""
    return layered(places, {**documents(session, keys(places)), **(instead or {})})


def layered(places: Sequence[Place], found: Mapping[str, Document | None]) -> Effective:
    """The same of documents by `Place.key` that are known already."""
    layers = []
    for place in places:
        document = found.get(place.key)
        if document is not None:
            layers.append(_layer(scope_name(place), canonical(document), _narrow(place)))
        elif not _narrow(place):
            layers.append(policy_file.layer())
    return Effective(tuple(layers))


def documents(session: Session, places: Collection[str]) -> dict[str, Document | None]:
    """The newest document of each of these places (`Place.key`) that has one."""
    found: dict[str, Document | None] = {}
    for some in batches(places):
        newest = (
            select(PolicyRow.place, func.max(PolicyRow.version).label("version"))
            .where(PolicyRow.place.in_(some))
            .group_by(PolicyRow.place)
            .subquery()
        )
        query = select(PolicyRow).join(
            newest, (newest.c.place == PolicyRow.place) & (newest.c.version == PolicyRow.version)
        )
        found |= {row.place: _versioned(row).document for row in session.scalars(query)}
    return found


@lru_cache(maxsize=512)
def _layer(scope: str, text: str, narrow: bool) -> Layer:
    document = json.loads(text)
    return Layer(scope, policy_of(document, f"the policy of {scope}", narrow=narrow), digest_of(document))


def _narrow(place: Place) -> bool:
    return place.group is not None or place.project is not None
