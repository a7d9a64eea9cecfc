"""Changes that go past proposals: only where nobody else could look at them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people


def require_alone(session: Session) -> None:
    """UsageError where there are two people or more who may approve changes."""
    count = len(people.approvers_anywhere(session))
    if count > 1:
        raise UsageError(
            f"{count} people may approve changes here: a change goes by a proposal.",
            "Use package-hunter policy propose, or proposals make (in an emergency, break-glass).",
        )
