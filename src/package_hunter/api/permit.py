"""A row of `permits.PERMITS`: what a route asks for, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from package_hunter.access.permissions import Permission


class Where(StrEnum):
    """Where the permission must be held."""

    OPEN = "nobody is asked"
    ACCOUNT = "any account"
    PERSON = "one's own account; no tokens"
    SERVER = "everywhere"  # 403 without it
    SCAN = "in the scan's project"  # 404 without it, as where there is no such scan
    HOLD = "in the hold's project"  # 404 without it
    TARGET = "in the project that is named, else in the account's own"
    LIST = "lists what lies where it is held"
    FINDING = "in the finding's project"  # 404 where the finding cannot be read, else 403
    MEANT = "in the projects of what is meant"  # what lies elsewhere is not meant
    PROJECT = "in the project of the path"  # 404 where the project cannot be seen, else 403
    GROUP = "in the group of the path"
    PROPOSAL = "where the proposal is meant to hold"  # 404 where it cannot be seen, else 403
    SCOPE = "in the scope of the path, or in a project below it"  # 404 without it


@dataclass(frozen=True, slots=True)
class Permit:
    """A row: method and path as FastAPI has them."""

    method: str
    path: str
    where: Where
    permission: Permission | None
    action: str | None = None  # what a change is called in the history
    person: bool = False  # 403 for tokens and jobs, whatever they may
    secret: bool = False  # its answer holds a secret: it is not kept for who asks again
    stream: bool = (
        False  # its body is written to the disk as it comes in; others' are held in memory, up to a limit
    )
    any_query: bool = False  # others write its query, and may add to it (RFC 6749, 4.1.2)
    page: bool = False  # for people: all that it shows and does it asks of other routes, as who asks it

    @property
    def changes(self) -> bool:
        """Whether it writes: then rights are read anew."""
        return self.method not in ("GET", "HEAD")

    @property
    def keeps_answer(self) -> bool:
        """Whether it heeds Idempotency-Key."""
        return self.method == "POST" and self.where not in (Where.OPEN, Where.PERSON) and not self.secret
