"""Changes that go past proposals: only where nobody else could look at them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people
from package_hunter.store.starts import Start


def require_alone(session: Session) -> None:
    """UsageError where there are two people or more who may approve changes."""
    count = len(people.approvers_anywhere(session))
    if count > 1:
        raise UsageError(
            f"{count} people may approve changes here: a change goes by a proposal.",
            "Use package-hunter policy propose, or proposals make (in an emergency, break-glass).",
        )


def require_alone_for(session: Session, role: Role, account: str) -> None:
    """UsageError where somebody gives or takes, by himself, a role with which a user may approve what others propose,
    though there are two people or more who could look at that. (Tokens never approve.)"""
    if role in people.APPROVING_ROLES and not account.startswith("token:"):
        require_alone(session)


def require_alone_for_start(session: Session, start: Start) -> None:
    """The same, of the roles that a new user begins with."""
    for grant in start.grants:
        require_alone_for(session, grant.role, "")
