"""Who can lift a block, by name, and how to ask: the exact command."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES
from package_hunter.store.access_tables import Account, Member
from package_hunter.store.members import Place

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Way:
    """``who``: names (roles where nobody holds one), ``how``: a command or two, for people."""

    who: tuple[str, ...]
    how: str


class Ways:
    """The ways out in one project; one object a transaction. ``places``: those that hold for it, widest first."""

    def __init__(self, session: Session, path: str, places: Iterable[Place]) -> None:
        self._session, self._path = session, path
        self._places = [place.key for place in places]

    def of_finding(self, finding: uuid.UUID, fingerprint: str, needs_two: bool) -> Way:
        """For a finding: set its state, or, where no single person may, have a waiver approved."""
        if not needs_two:
            how = f"package-hunter findings set {finding} accepted --reason acceptable_risk --until DATE --remark WHY"
            return Way(self._holders(Permission.FINDING_TRIAGE), how)
        how = (
            f"package-hunter findings waive {finding} --reason not_applicable --as YOU --why WHY; then somebody "
            "who did not write it: package-hunter proposals approve NUMBER --as THEM"
        )
        return Way(self._holders(Permission.PROPOSAL_APPROVE), how)

    def of_package(self, purl: str) -> Way:
        """For a package that is known to be malicious: take it out."""
        how = f"Take {purl} out, or to a version that is not affected, and scan again."
        return Way(("whoever changes the project's dependencies",), how)

    def of_missing(self, commit: str) -> Way:
        """For a scan that is not there."""
        how = f"package-hunter gate fetch --project {self._quoted} --commit {commit}"
        return Way(
            self._holders(Permission.SCAN_SUBMIT), f"{how}; or run security's pipeline for this commit"
        )

    def of_review(self) -> Way:
        """For what a person must look at, which is no finding (a scan that did not see all)."""
        how = (
            "Mend what kept the scan from seeing all (its report says it), and scan again; or have a policy approved: "
            f"package-hunter proposals make policy FILE --at {self._quoted} --as YOU --why WHY"
        )
        return Way(self._holders(Permission.PROPOSAL_APPROVE), how)

    @property
    def _quoted(self) -> str:
        return shlex.quote(self._path)

    def _holders(self, permission: Permission) -> tuple[str, ...]:
        """The people (no machines) who hold the permission here, and else the roles that do."""
        roles = [role.value for role, held in ROLES.items() if permission in held]
        query = (
            select(Account.name)
            .join(Member, Member.account_id == Account.id)
            .where(Account.removed.is_(None), Account.kind == "user")
            .where(Member.place.in_(self._places), Member.role.in_(roles))
            .distinct()
            .order_by(Account.name)
        )
        names = list(self._session.scalars(query.limit(_SHOWN + 1)))
        if not names:
            return tuple(f"anybody with the role {role}" for role in roles)
        more = ("and others",) if len(names) > _SHOWN else ()
        return (*names[:_SHOWN], *more)
