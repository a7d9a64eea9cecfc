"""The port of places that artefacts lie in: named bytes, no digest, no key. Names are ``KIND/ab/DIGEST[.sealed]``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from package_hunter.storage.incoming import Incoming


@dataclass(frozen=True, slots=True)
class Blob:
    """How one lies there: size in bytes, ``changed`` in seconds since the epoch, by the place's clock."""

    name: str
    size: int
    changed: float


@dataclass(frozen=True, slots=True)
class Content:
    """What one holds: size in bytes, as its place says, and the bytes, piece by piece."""

    size: int
    pieces: Iterator[bytes]


class Blobs(Protocol):
    """A place. StoreError where it cannot be reached, DiskFullError where it is full."""

    def put(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """Store the ``size`` bytes of ``chunks`` whole, or, where they raise, not at all."""
        ...

    def adopt(self, name: str, incoming: Incoming) -> bool:
        """Take the file itself in place of a copy; False where this place cannot do that."""
        ...

    def get(self, name: str) -> Content:
        """Its bytes: all of one and the same blob, or ChangedError; MissingError at once."""
        ...

    def head(self, name: str) -> Blob | None:
        """How it lies there, or None."""
        ...

    def delete(self, name: str) -> None:
        """Remove it, if it is there."""
        ...

    def list(self, prefix: str) -> Iterator[Blob]:
        """All below the folder ``prefix``."""
        ...
