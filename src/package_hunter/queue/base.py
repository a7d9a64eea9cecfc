"""The port between those who accept scans and those who run them.

An accepted scan is never lost: it is enqueued in the transaction that stores it, a worker only leases it, and
a lease that is not renewed ends. The lease alone gives the right to store a result. A scan whose workers died
`max_attempts` times has failed, with that reason; one that failed through faults of ours is a *dead letter*, which
can be looked at and run again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from sqlalchemy.orm import Session

from package_hunter.access.view import LEGACY, View
from package_hunter.errors import UsageError
from package_hunter.model.priority import Priority
from package_hunter.model.report import Report
from package_hunter.store.models import Scan

_NEED = re.compile(r"[a-z0-9][a-z0-9._+-]{0,30}:[a-z0-9][a-z0-9._+-]{0,30}")
_MAX_NEEDS = 16


@dataclass(frozen=True, slots=True)
class Terms:
    """How a scan waits. ``deadline`` (milliseconds since the epoch): where no worker has begun it by then, it ends
    with a sentence. ``needs``: what a worker must be able to, as ``ecosystem:npm`` or ``engine:probe``; UsageError
    where one is not of that form."""

    priority: Priority = Priority.NORMAL
    deadline: int | None = None
    needs: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """See the class."""
        if len(self.needs) > _MAX_NEEDS or not all(_NEED.fullmatch(need) for need in self.needs):
            raise UsageError(
                "A scan's needs are not of the form ecosystem:npm, or too many.",
                f"Name at most {_MAX_NEEDS}, each two words of small letters, digits and ._+- with a colon.",
            )


@dataclass(frozen=True, slots=True)
class Job:
    """A scan that a worker holds. It names an archive's digest or a purl, never a path.

    ``attempt`` counts from 1; ``lease`` proves the holding: whoever has an older one has lost the scan.
    """

    scan_id: uuid.UUID
    manager: str | None
    sha256: str | None
    purl: str | None
    attempt: int
    lease: str
    submitter: str = ""  # the account: a user's name, or ``token:NAME``
    fresh: bool = False  # an earlier result of the same will not do
    size: int | None = None  # of the archive, in bytes
    depth: str | None = None  # how far to look (model.depth); None: as the settings say
    project: uuid.UUID = LEGACY
    joined: uuid.UUID | None = (
        None  # a scan of the same that was in flight when this one was submitted: has ended
    )
    killed: int = 0  # so often a helper of it was killed from outside before


class LeaseLostError(Exception):
    """The scan was given to another worker (or has ended) meanwhile; the result is not wanted."""


_USUAL = Terms()


class Queue(Protocol):
    """Which scan runs next, and where."""

    def enqueue(self, session: Session, scan_id: uuid.UUID, terms: Terms = _USUAL) -> None:
        """Let the scan run some time. ``session`` is the transaction that stores it: rolled back, nothing is left.

        Where the same is in flight already (`queue.joining`), it waits for that one's end, to be given its result.
        """
        ...

    def claim(self, worker: str, can: frozenset[str] | None = None) -> Job | None:
        """The next scan, leased to ``worker``; None where none waits that it may have. Of the most urgent: the one
        that waits longest of the account, and of its projects, whose turn it is. Only what needs no more than
        ``can`` (None: whatever is needed), and no more of one project at the same time than
        ``max_running_per_project``."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when a scan may have come, after ``seconds`` at the latest."""
        ...

    def heartbeat(self, job: Job) -> None:
        """Renew the lease; LeaseLostError where it is gone."""
        ...

    def finish(self, job: Job, report: Report) -> None:
        """Store the report, whatever its verdict or status; LeaseLostError."""
        ...

    def fail(self, job: Job, reason: str, exit_code: int = 70) -> None:
        """The scan could not be made, and trying again would not help; LeaseLostError.

        ``exit_code`` is what the command line would have ended with (errors.HunterError.exit_code).
        """
        ...

    def retry(self, job: Job, reason: str, exit_code: int = 70, killed: bool = False) -> bool:
        """The scan failed through a fault of ours: it waits again, or, after too many attempts, fails with this
        reason. ``killed``: a helper was killed from outside, which is counted apart (`max_helper_kills`) and is no
        attempt of the scan's. True where it waits; LeaseLostError."""
        ...

    def cancel(self, session: Session, scan_id: uuid.UUID, reason: str) -> bool:
        """End a scan because somebody wants it (status ``cancelled``, with the reason): one that waits at once, one
        that runs as soon as its worker has seen it (`cancelled`). False where it has ended already, or never was."""
        ...

    def cancelled(self, job: Job) -> str | None:
        """Why somebody wants this running scan ended; None: nobody does. Cheap: to be asked a few times a second."""
        ...

    def end_cancelled(self, job: Job) -> None:
        """The scan's box is gone, as `cancelled` asked: it has ended; LeaseLostError."""
        ...

    def dead(self, session: Session, view: View, limit: int = 100) -> Sequence[Scan]:
        """The dead letters that the view sees, the newest first: scans that failed through faults of ours."""
        ...

    def rerun(self, session: Session, scan_id: uuid.UUID, terms: Terms = _USUAL) -> bool:
        """Let a dead letter wait again, as if it were new; False where it is none."""
        ...

    def release(self, job: Job) -> None:
        """Give the scan back unfinished: it waits again, and this attempt does not count; LeaseLostError."""
        ...

    def requeue_expired(self) -> int:
        """Let scans whose lease ended wait again, or fail after too many attempts, and end those that nobody began by
        their deadline; how many those were."""
        ...

    def recover(self, worker: str) -> int:
        """Likewise for all that ``worker`` holds; it must be dead. A worker's name is never used again."""
        ...

    def seen(self, worker: str, lacks: str | None = None) -> None:
        """Note that ``worker`` is alive, and what it lacks for scans (a sentence)."""
        ...


Runner = Callable[[Job, IO[bytes] | None], Report]
"""Runs one scan: the job, and the open archive where it names a digest. HunterError says why it cannot."""
