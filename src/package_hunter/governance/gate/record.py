"""Each answer of the gate is kept as it was given. The same answer, asked for again, is the same fact."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.governance.gate.answer import Answer, Gate, answer
from package_hunter.model import jcs
from package_hunter.model.text import all_well_formed
from package_hunter.notices.outbox import Event, Notice, enqueue
from package_hunter.store.access_tables import Project
from package_hunter.store.database import now_ms
from package_hunter.store.gate_tables import GateAnswer
from package_hunter.store.scoping import scoped


def standing(session: Session, project: Project, commit: str, usual_depth: str) -> GateAnswer | None:
    """The last answer, where it is what the gate would say now; None where another one is to be given. Writes
    nothing."""
    last = newest(session, project.id, commit)
    if last is None:
        return None
    digest = _body(answer(session, project, commit, usual_depth))[1]
    return last if digest == last.digest else None


def _body(found: Answer) -> tuple[str, str]:
    """Canonical JSON, and its SHA-256."""
    body = jcs.dumps(all_well_formed(found.body())).decode()
    return body, hashlib.sha256(body.encode()).hexdigest()


def ask(session: Session, project: Project, commit: str, by: str, usual_depth: str) -> GateAnswer:
    """Ask the gate, and keep what it says, unless that is what it said last. A new block is told."""
    found = answer(session, project, commit, usual_depth)
    body, digest = _body(found)
    last = newest(session, project.id, commit)
    if last is not None and last.digest == digest:
        return last
    row = GateAnswer(
        id=uuid.uuid4(),
        project_id=project.id,
        commit=commit,
        result=found.gate.value,
        body=body,
        digest=digest,
        asked_by=by[:160],
        created=max(now_ms(), 0 if last is None else last.created + 1),
    )
    session.add(row)
    session.flush()
    if found.gate is Gate.BLOCK:
        _tell(session, project, found, digest)
    return row


def newest(session: Session, project: uuid.UUID, commit: str) -> GateAnswer | None:
    """The last answer for a commit."""
    query = select(GateAnswer).where(GateAnswer.project_id == project, GateAnswer.commit == commit)
    return session.scalar(query.order_by(GateAnswer.created.desc()).limit(1))


def answers(
    session: Session, view: View, project: uuid.UUID, commit: str | None, limit: int
) -> Sequence[GateAnswer]:
    """What was answered, newest first."""
    query = scoped(select(GateAnswer), view, GateAnswer.project_id).where(GateAnswer.project_id == project)
    if commit is not None:
        query = query.where(GateAnswer.commit == commit)
    return session.scalars(query.order_by(GateAnswer.created.desc()).limit(limit)).all()


def _tell(session: Session, project: Project, found: Answer, digest: str) -> None:
    first = found.reasons[0]
    notice = Notice(
        what=f"The gate blocks {found.commit[:12]} of {project.path}: {first.what}",
        who=f"It can be lifted by {', '.join(first.way.who)}.",
        how=first.way.how,
        todo="Look at what was seen; take the package out, or ask for it to be lifted.",
        look=f"/api/v1/gate?project={project.path}&commit={found.commit}",
        fingerprint=first.fingerprint,
        facts={"commit": found.commit, "reasons": [one.what for one in found.reasons[:20]]},
    )
    enqueue(session, Event.GATE_BLOCKED, project.id, notice, once=f"gate.blocked:{project.id.hex}:{digest}")
