"""Proposals as they are listed and shown, to whom may see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, false, func, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from package_hunter.access.permissions import Permission
from package_hunter.access.view import EVERYTHING, Access, View
from package_hunter.governance.proposals import people
from package_hunter.governance.proposals.alone import stuck
from package_hunter.governance.proposals.life import OPEN, shown_state
from package_hunter.governance.proposals.propose import Prepared
from package_hunter.store.access_tables import EVERYWHERE, Account
from package_hunter.store.places import MissingError
from package_hunter.store.proposal_tables import Approval, Proposal, ProposalEdit


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see of proposals: those of these projects and groups, and (``all_over``) those that are meant
    to hold everywhere."""

    projects: View
    groups: View
    all_over: bool

    @staticmethod
    def of(access: Access, permission: Permission = Permission.PROPOSAL_READ) -> Sight:
        """Of an account; of what else it may do to them, by another permission."""
        return Sight(access.view(permission), access.groups_view(permission), access.may(permission))

    def sees(self, proposal: Proposal) -> bool:
        """Whether this one may be seen."""
        if proposal.project_id is not None:
            return self.projects.sees(proposal.project_id)
        if proposal.group_id is not None:
            return self.groups.sees(proposal.group_id)
        return self.all_over

    @property
    def clause(self) -> ColumnElement[bool]:
        """The same, for a query."""
        projects, groups = self.projects.projects, self.groups.projects
        return or_(
            Proposal.project_id.is_not(None) if projects is None else Proposal.project_id.in_(projects),
            Proposal.group_id.is_not(None) if groups is None else Proposal.group_id.in_(groups),
            Proposal.place == EVERYWHERE if self.all_over else false(),
        )


ALL = Sight(EVERYTHING, EVERYTHING, True)
"""For the command line of the server's machine."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which proposals are asked for. ``state`` None: any; ``unreviewed``: applied without approval, and nobody has
    looked at them yet; ``only``: those of which that is true (`waiting.on`)."""

    state: str | None = None
    kind: str | None = None
    unreviewed: bool = False
    only: ColumnElement[bool] | None = None


UNREVIEWED = and_(Proposal.state == "applied", Proposal.way != "approved", Proposal.reviewed.is_(None))


def listed(
    session: Session, sight: Sight, wish: Wish, now: int, limit: int, before: int | None = None
) -> Sequence[Proposal]:
    """Up to ``limit`` of those that may be seen, newest first, with numbers below ``before``."""
    query = select(Proposal).where(sight.clause, _state(wish.state, now)).order_by(Proposal.number.desc())
    if wish.only is not None:
        query = query.where(wish.only)
    if wish.kind is not None:
        query = query.where(Proposal.kind == wish.kind)
    if wish.unreviewed:
        query = query.where(UNREVIEWED)
    if before is not None:
        query = query.where(Proposal.number < before)
    return session.scalars(query.limit(limit)).all()


def _state(state: str | None, now: int) -> ColumnElement[bool]:
    """As `shown_state` says it."""
    if state is None:
        return true()
    if state == "expired":
        return or_(Proposal.state == state, and_(Proposal.state.in_(OPEN), Proposal.expires <= now))
    live = Proposal.expires > now if state in OPEN else true()
    return and_(Proposal.state == state, live)


def waiting(session: Session, prepared: Prepared, now: int) -> int | None:
    """The number of an open proposal of the very same change; None where there is none."""
    query = select(Proposal.number).where(
        Proposal.kind == prepared.kind.name,
        Proposal.place == prepared.place.key,
        Proposal.content_hash == prepared.content_hash,
        Proposal.base_hash == prepared.base_hash,
        Proposal.state.in_(OPEN),
        Proposal.expires > now,
    )
    return session.scalar(query.limit(1))


def get(session: Session, sight: Sight, number: int) -> Proposal:
    """MissingError where there is none, or none that may be seen."""
    found = session.get(Proposal, number)
    if found is None or not sight.sees(found):
        raise MissingError(f"There is no proposal {number}.", "See package-hunter proposals list.")
    return found


def summary(session: Session, proposal: Proposal, now: int) -> dict[str, Any]:
    """A proposal in a list."""
    given = select(func.count()).select_from(Approval)
    live = given.where(
        Approval.proposal == proposal.number,
        Approval.version == proposal.version,
        Approval.dropped.is_(None),
    )
    impact = json.loads(proposal.impact)
    return {
        "number": proposal.number,
        "kind": proposal.kind,
        "state": shown_state(proposal, now),
        "place": people.place_of(session, proposal).name,
        "project": None if proposal.project_id is None else str(proposal.project_id),
        "group": None if proposal.group_id is None else str(proposal.group_id),
        "subject": proposal.subject,
        "author": proposal.author,
        "reason": proposal.reason,
        "approvals": session.scalar(live) or 0,
        "needed": proposal.needed,
        "would_flip": impact["flipped"],
        "not_tried": impact["not_tried"],
        "created": proposal.created,
        "expires": proposal.expires,
        "apply_at": proposal.apply_at,
        "way": proposal.way,
        "unreviewed": proposal.way in ("break-glass", "alone") and proposal.reviewed is None,
    }


def details(session: Session, proposal: Proposal, now: int) -> dict[str, Any]:
    """All of a proposal."""
    edits = session.scalars(
        select(ProposalEdit).where(ProposalEdit.proposal == proposal.number).order_by(ProposalEdit.version)
    )
    given = session.scalars(
        select(Approval).where(Approval.proposal == proposal.number).order_by(Approval.id)
    )
    by = proposal.reviewer_id
    reviewer = None if by is None else session.get(Account, by)
    return {
        **summary(session, proposal, now),
        "document": json.loads(proposal.document),
        "content_hash": proposal.content_hash,
        "base_hash": proposal.base_hash,
        "version": proposal.version,
        "stuck": stuck(session, proposal) if shown_state(proposal, now) == "open" else None,
        "diff": proposal.diff,
        "impact": json.loads(proposal.impact),
        "edits": [_edit(e) for e in edits],
        "given": [_approval(a, proposal) for a in given],
        "applied": proposal.applied,
        "decided": proposal.decided,
        "decided_by": proposal.decided_by,
        "decided_why": proposal.decided_why,
        "emergency": proposal.emergency,
        "emergency_text": proposal.emergency_text,
        "reviewed": proposal.reviewed,
        "reviewer": None if reviewer is None else reviewer.name,
        "review": proposal.review,
    }


def _edit(edit: ProposalEdit) -> dict[str, Any]:
    values = {"version": edit.version, "editor": edit.editor, "time": edit.created}
    return {**values, "content_hash": edit.content_hash}


def _approval(approval: Approval, proposal: Proposal) -> dict[str, Any]:
    counts = approval.dropped is None and approval.version == proposal.version
    return {
        "approver": approval.approver,
        "time": approval.created,
        "version": approval.version,
        "proof": approval.proof,
        "counts": counts,
        "dropped_why": approval.dropped_why,
    }


def counts(session: Session, now: int) -> dict[str, int]:
    """For figures: how many are ``open``, how many ``unreviewed`` (applied without approval, not looked at yet), and
    how often the ``glass`` was ``broken``, ever."""
    every = {
        "open": and_(Proposal.state.in_(OPEN), Proposal.expires > now),
        "unreviewed": UNREVIEWED,
        "glass broken": Proposal.way == "break-glass",
    }
    query = select(func.count()).select_from(Proposal)
    return {name: session.scalar(query.where(clause)) or 0 for name, clause in every.items()}
