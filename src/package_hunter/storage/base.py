"""The port of artefacts: bytes by kind and digest. Who uses them knows no file, no bucket and no key.

An artefact never changes: its name is the SHA-256 of its content, and whoever reads it compares. That it is there at
all is another question: `store/artefact_refs.py` says what is referred to, and the rest is collected.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, BinaryIO, Protocol

from package_hunter.errors import HostError
from package_hunter.storage.incoming import Incoming

DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Kind(StrEnum):
    """What an artefact is: kinds are kept apart, so that none can be read as another."""

    ARCHIVE = "archive"  # as it was uploaded
    REPORT = "report"  # JSON, compressed with zlib
    RECORDING = "recording"  # the events of a box, ``.scap``
    BUNDLE = "bundle"  # a verdict, signed, with all that it came from
    DROPPED = "dropped"  # a file that something wrote in a box: hostile bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """An artefact that is safely there: its SHA-256 (hex) and size in bytes, of the content."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """An artefact as it lies in its place: ``size`` in bytes there, ``changed`` in seconds since the epoch by the
    place's own clock."""

    kind: Kind
    digest: str
    size: int
    changed: float


class Artefacts(Protocol):
    """Every call may raise StoreError (the place cannot be reached), of it DiskFullError."""

    def put(self, kind: Kind, source: BinaryIO | bytes) -> Stored:
        """Store all of ``source``, from where it stands; whole and durable once this returns, else not there at all.
        The same content again is stored anew, which mends a damaged one."""
        ...

    def begin(self, expected: int = 0) -> Incoming:
        """A private file for what comes in piece by piece, ``expected`` bytes of it (0: unknown)."""
        ...

    def keep(self, kind: Kind, incoming: Incoming) -> Stored:
        """Store what came in, which is ``done``."""
        ...

    def open(self, kind: Kind, digest: str, limit: int | None = None) -> BinaryIO:
        """The content as a stream that is compared while it is read: only who has read its end without an error has
        what was stored. MissingError, DamagedError (that, or more than ``limit`` bytes)."""
        ...

    def copy(self, kind: Kind, digest: str, target: IO[bytes], limit: int | None = None) -> int:
        """The content into a file of the caller's (which is emptied before), compared; its size. Tried again where the
        artefact was stored anew meanwhile. MissingError, DamagedError."""
        ...

    def stat(self, kind: Kind, digest: str) -> Found | None:
        """How it lies there, or None."""
        ...

    def delete(self, kind: Kind, digest: str) -> None:
        """Remove it; nothing happens where there is none."""
        ...

    def list(self, kind: Kind) -> Iterator[Found]:
        """All of a kind, in no order. What is stored or removed meanwhile may be in it or not."""
        ...

    def sweep(self) -> int:
        """Remove what died while it came in; how many."""
        ...

    def free(self) -> int:
        """Bytes that what comes in may take on this machine's disk."""
        ...


def checked_digest(digest: str) -> str:
    """The digest; HostError where it is none (it came out of a database, and becomes a name)."""
    if not DIGEST.match(digest):
        raise HostError(f"{digest[:80]!r} is no SHA-256 digest.", "The store was damaged: restore a backup.")
    return digest


def digest_of(content: bytes) -> str:
    """The name of some bytes."""
    return hashlib.sha256(content).hexdigest()
