"""Who asks, and how that was shown: what a verified request comes with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from package_hunter.access.job import JobClaims
from package_hunter.access.view import Access


class Method(StrEnum):
    """How somebody showed who he is."""

    NOBODY = "nobody"
    PASSWORD = "password"
    SESSION = "session"
    TOKEN = "token"
    JOB = "job"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Identity:
    """``account``: its name. ``session``: by which session of its. ``authenticated``: when the person himself last
    showed who he is (ms since the epoch; of a session). ``job`` and ``access``: of a CI job, which has no account:
    what its forge says of it, and all that it may do. ``expires``: when what was shown ends by itself (ms).
    ``csrf``: what a session's changes must come with."""

    account: str
    method: Method
    session: uuid.UUID | None = None
    authenticated: int | None = None
    expires: int | None = None
    job: JobClaims | None = None
    access: Access | None = None
    csrf: str | None = field(default=None, repr=False)

    @property
    def is_person(self) -> bool:
        """Whether a person asks. Tokens and jobs never approve, and change nothing of an account."""
        return self.method in (Method.PASSWORD, Method.SESSION)


NOBODY = Identity("", Method.NOBODY)
"""Of a route that asks nobody."""

DEVELOPER = Identity("developer", Method.DEVELOPMENT)
"""Of a server that asks nobody at all (PACKAGE_HUNTER_DEVELOPMENT=1)."""
