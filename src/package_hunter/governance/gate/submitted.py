"""What a submission says of its tree, and what its job's token says of that."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from package_hunter.access.job import JobClaims
from package_hunter.governance.gate import origins, watches
from package_hunter.governance.gate.origins import Origin
from package_hunter.store.access_tables import Project
from package_hunter.store.models import Scan
from package_hunter.triage.results import Standing


@dataclass(frozen=True, slots=True)
class Said:
    """``claims``: of the CI job that submits, where one does."""

    origin: Origin
    claims: JobClaims | None = None


def note(session: Session, scan: Scan, said: Said) -> None:
    """Keep it with how it is known, in the transaction that stores the scan; its forge is told from now on."""
    project = session.get_one(Project, scan.project_id)
    effective = Standing(session).effective(project.id)
    how = origins.witness(session, project, said.origin, effective, said.claims)
    origins.note(session, scan, said.origin, how)
    watches.watch(session, project.id, said.origin.commit, said.origin.ref, said.origin.merge_request)
