"""Where projects' repositories are. Who says so lets the server read there with its own rights: it is an act of the
server's administrator, and the forge must be one of the host's (`forges`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import UsageError
from package_hunter.governance.gate.forges import Forges
from package_hunter.store import history
from package_hunter.store.access_tables import Project
from package_hunter.store.database import now_ms
from package_hunter.store.gate_tables import Repository
from package_hunter.store.history import Change

_EXTERNAL = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]*)*")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Place:
    """``url``: what git clones; ``external``: the forge's name (``group/project``) or number of it; ``status_check``:
    the
    number of GitLab's external status check."""

    url: str
    external: str | None = None
    status_check: str | None = None


def bind(
    session: Session, forges: Forges, project: Project, place: Place, by: Actor, why: str | None = None
) -> Repository:
    """Say where a project's repository is; UsageError where the host knows no such forge, or a name cannot be one."""
    forge = forges.of(place.url)
    if place.external is not None and not _EXTERNAL.fullmatch(place.external):
        raise UsageError("This is no name of a project at its forge.", "It looks like group/project.")
    if place.status_check is not None and not _NUMBER.fullmatch(place.status_check):
        raise UsageError("This is no number of a status check.", "GitLab shows it; give the number alone.")
    row = session.get(Repository, project.id)
    before = None if row is None else _said(row)
    if row is None:
        row = Repository(project_id=project.id, created=now_ms())
        session.add(row)
    row.url, row.external, row.status_check = place.url, place.external, place.status_check
    session.flush()
    said = _said(row) | {"forge": forge.name}
    change = Change("repository.set", project.path, before, said, why, project.id)
    history.record(session, by, change)
    return row


def forget(session: Session, project: Project, by: Actor, why: str | None = None) -> None:
    """It has none any more; UsageError where it had none."""
    row = session.get(Repository, project.id)
    if row is None:
        raise UsageError(f"{project.path!r} has no repository.", "See package-hunter gate repositories.")
    change = Change("repository.remove", project.path, _said(row), None, why, project.id)
    session.delete(row)
    history.record(session, by, change)


def every(session: Session) -> list[tuple[str, Repository]]:
    """All of them with their projects' paths, for who manages them."""
    query = select(Project.path, Repository).join(Project, Project.id == Repository.project_id)
    return [(path, row) for path, row in session.execute(query.order_by(Project.path))]


def _said(row: Repository) -> dict[str, str | None]:
    return {"url": row.url, "external": row.external, "status_check": row.status_check}
