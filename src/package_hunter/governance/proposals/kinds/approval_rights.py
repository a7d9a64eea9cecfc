"""Who may approve: a role with that permission, given to a user in a place, or taken away.

``{"account": "eve", "role": "security-admin", "held": true}``; ``held``: whether the user is to have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.store import members
from package_hunter.store.access_tables import Account, Member
from package_hunter.store.members import Place

_KEYS = {"account", "role", "held"}


class ApprovalRightsKind:
    """See `ChangeKind`."""

    name = "approval-rights"
    what = "who may approve"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """Refused where nobody could approve changes there any more."""
        if not isinstance(document, Mapping) or set(document) != _KEYS:
            raise UsageError("It has the keys account, role and held.", "See docs/proposals.md.")
        name, role, held = document["account"], document["role"], document["held"]
        if not isinstance(name, str) or not isinstance(held, bool) or role not in people.APPROVING_ROLES:
            roles = ", ".join(role.value for role in people.APPROVING_ROLES)
            raise UsageError(
                f"It is of an account, true or false, and one of these roles: {roles}.", "Correct it."
            )
        account = people.account(session, name)
        if account.kind != "user":
            raise UsageError("Tokens never approve.", "Give a token what it needs: member add.")
        if not held:
            _require_others(session, place, account)
        word = "gets" if held else "loses"
        made = {"account": name, "role": Role(role).value, "held": held}
        return Wanted(made, f"{name} {word} {role} in {place.name}")

    def base(self, session: Session, place: Place, wanted: Wanted) -> Any:
        """Whether the user has the role right there, given by hand."""
        account = people.account(session, wanted.document["account"])
        row = session.get(Member, (account.id, place.key, wanted.document["role"]))
        return {**wanted.document, "held": row is not None}

    def impact(self, session: Session, place: Place, wanted: Wanted, _budget: Budget) -> Impact:
        """No scan is decided otherwise by it: it says how many may approve there."""
        now = len(people.approvers(session, place))
        return Impact("scans", 0, 0, effects=(f"{now} people may approve in {place.name} now.",))

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """See `store.members`."""
        change = members.give if wanted.document["held"] else members.take
        change(session, wanted.document["account"], Role(wanted.document["role"]), place, act.by, act.why)


def _require_others(session: Session, place: Place, account: Account) -> None:
    left = set(people.approvers(session, place)) - people.persons(session, [account.id])
    if not left:
        raise UsageError(
            f"Nobody could approve changes in {place.name} any more: all would be locked out.",
            "Give somebody else the role first.",
        )
