"""A store with people who propose and approve: for tests of changes that need two people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.governance.proposals import decide, life, propose
from package_hunter.governance.proposals.decide import Seen
from package_hunter.governance.proposals.kind import Budget
from package_hunter.governance.proposals.propose import Asked, By
from package_hunter.store import members, places, tokens
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.proposal_tables import Proposal
from package_hunter.store.starts import Start

TEST = Actor("test", "test")
START = 1_800_000_000_000
DAY = 86_400_000
PROOF = "password"


class World:
    """Group ``web`` with project ``web/shop``; ann, bea, carl and dora as security admins everywhere, dev as a
    developer of the project. ``now`` is the clock."""

    def __init__(self, store: Store, *admins: str) -> None:
        self.store, self.now = store, START
        with store.write() as session:
            places.add_group(session, "web", TEST)
            places.add_project(session, "web/shop", TEST)
        for name in admins or ("ann", "bea", "carl", "dora"):
            self.add(name, Role.SECURITY_ADMIN)
        self.add("dev", Role.DEVELOPER, "web/shop")

    def add(self, name: str, role: Role | None = None, path: str = "", owner: str | None = None) -> None:
        """An account with a role, a token's (with an owner, where it has one) where the name says so."""
        with self.store.write() as session:
            home = places.project_at(session, EVERYTHING, "web/shop").id
            if name.startswith("token:"):
                limits = tokens.Limits(owner=owner)
                tokens.add_token(session, name.removeprefix("token:"), Start((), home), TEST, limits=limits)
            else:
                members.add_account(session, name, "user", home)
            if role is not None:
                members.give(session, name, role, self.place(session, path), TEST)

    def place(self, session: Session, path: str) -> Place:
        """Everywhere, a group or a project."""
        if not path:
            return Place()
        if "/" in path:
            return Place(project=places.project_at(session, EVERYTHING, path))
        return Place(group=places.group_at(session, EVERYTHING, path))

    def by(self, session: Session, name: str) -> By:
        """Who acts, now."""
        return propose.acting(session, name, "192.0.2.1", self.now)

    def propose(
        self,
        name: str,
        document: Any,
        path: str = "",
        kind: str = "approval-settings",
        apply_at: int | None = None,
    ) -> int:
        """A proposal's number."""
        with self.store.write() as session:
            prepared = propose.prepare(session, kind, self.place(session, path), document, Budget(5.0))
            made = decide.propose(session, self.by(session, name), prepared, Asked("because", apply_at))
            return made.number

    def edit(
        self, name: str, number: int, document: Any, path: str = "", kind: str = "approval-settings"
    ) -> None:
        """Edit a proposal."""
        with self.store.write() as session:
            prepared = propose.prepare(session, kind, self.place(session, path), document, Budget(5.0))
            propose.edit(session, self.by(session, name), number, prepared, Asked("better so"))

    def approve(self, name: str, number: int, seen: Seen | None = None) -> str:
        """Approve what is there now; the state after it."""
        with self.store.write() as session:
            found = session.get(Proposal, number)
            assert found is not None
            now = seen or Seen(found.content_hash, found.version)
            return decide.approve(session, self.by(session, name), number, now, PROOF).state

    def settle(self) -> int:
        """What is due by the clock."""
        with self.store.write() as session:
            return life.settle_due(session, self.now)

    def get(self, number: int) -> Proposal:
        """As it stands."""
        with self.store.read() as session:
            found = session.get(Proposal, number)
            assert found is not None
            return found

    def sql(self, statement: str, **values: Any) -> None:
        """A statement past all our code."""
        with self.store.engine.execution_options(hunter_write=True).begin() as connection:
            connection.execute(text(statement), values)
