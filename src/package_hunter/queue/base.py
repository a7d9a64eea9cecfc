"""The port between those who accept scans and those who run them.

An accepted scan is never lost: it is enqueued in the transaction that stores it, a worker only leases it, and
a lease that is not renewed ends. A scan whose workers died `max_attempts` times has failed, with that reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Protocol

from sqlalchemy.orm import Session

from package_hunter.access.view import LEGACY
from package_hunter.model.report import Report


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


class LeaseLostError(Exception):
    """The scan was given to another worker (or has ended) meanwhile; the result is not wanted."""


class Queue(Protocol):
    """Which scan runs next, and where."""

    def enqueue(self, session: Session, scan_id: uuid.UUID) -> None:
        """Let the scan run some time. ``session`` is the transaction that stores it."""
        ...

    def claim(self, worker: str) -> Job | None:
        """The scan that waits longest of the account whose turn it is, leased to ``worker``; None where none
        waits."""
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

    def retry(self, job: Job, reason: str, exit_code: int = 70) -> bool:
        """The scan failed through a fault of ours: it waits again, or, after too many attempts, fails with this
        reason. True where it waits; LeaseLostError."""
        ...

    def release(self, job: Job) -> None:
        """Give the scan back unfinished: it waits again, and this attempt does not count; LeaseLostError."""
        ...

    def requeue_expired(self) -> int:
        """Let scans whose lease ended wait again, or fail after too many attempts; how many those were."""
        ...

    def recover(self, worker: str) -> int:
        """Likewise for all that ``worker`` holds; it must be dead. A worker's name is never used again."""
        ...

    def seen(self, worker: str, lacks: str | None = None) -> None:
        """Note that ``worker`` is alive, and what it lacks for scans (a sentence)."""
        ...


Runner = Callable[[Job, IO[bytes] | None], Report]
"""Runs one scan: the job, and the open archive where it names a digest. HunterError says why it cannot."""
