"""Versioned documents that only proposals change, by kind, place and name: approval settings, rule sets and the like.
Nothing is overwritten: what was in force on a day can be read as long as the store lives."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.store.canonical import NOTHING, canonical, content_hash, parsed
from package_hunter.store.database import now_ms
from package_hunter.store.proposal_tables import GovernedDocument


def current(session: Session, kind: str, place: str, name: str = "") -> GovernedDocument | None:
    """The version in force at this very place (not above it), or None."""
    query = select(GovernedDocument).where(
        GovernedDocument.kind == kind, GovernedDocument.place == place, GovernedDocument.name == name
    )
    return session.scalar(query.order_by(GovernedDocument.version.desc()).limit(1))


def value(session: Session, kind: str, place: str, name: str = "") -> Any:
    """Its content; None where there is none, or where it was put out of force."""
    found = current(session, kind, place, name)
    return None if found is None else parsed(found.document)


def current_hash(session: Session, kind: str, place: str, name: str = "") -> str:
    """Its content's hash, `NOTHING` where there is none."""
    found = current(session, kind, place, name)
    return NOTHING if found is None else found.content_hash


def put(session: Session, kind: str, place: str, name: str, document: Any, by: Actor) -> GovernedDocument:
    """A new version; the caller tells the history."""
    before = current(session, kind, place, name)
    text = canonical(document)
    made = GovernedDocument(
        kind=kind,
        place=place,
        name=name,
        version=1 if before is None else before.version + 1,
        document=text,
        content_hash=content_hash(text),
        created=now_ms(),
        author=by.name[:160],
    )
    session.add(made)
    session.flush()
    return made


def versions(session: Session, which: tuple[str, str, str], most: int) -> list[GovernedDocument]:
    """The newest ``most`` versions of the document of this kind, place and name, newest first."""
    kind, place, name = which
    same = (GovernedDocument.kind == kind, GovernedDocument.place == place, GovernedDocument.name == name)
    query = select(GovernedDocument).where(*same).order_by(GovernedDocument.version.desc()).limit(most)
    return list(session.scalars(query))


def all_of(session: Session, kind: str) -> list[GovernedDocument]:
    """Those of a kind that are in force, wherever: by place and name."""
    rows = session.scalars(
        select(GovernedDocument)
        .where(GovernedDocument.kind == kind)
        .order_by(GovernedDocument.place, GovernedDocument.name, GovernedDocument.version)
    ).all()
    newest = {(row.place, row.name): row for row in rows}
    return list(newest.values())
