"""A stream over an artefact's content, compared with its name while it is read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from package_hunter.storage.errors import DamagedError, too_large

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Compared(io.RawIOBase):
    """Reads what ``chunks`` give. Its end is only reached where all of it had the ``digest``; DamagedError else, or
    where there is more than ``limit`` bytes."""

    def __init__(self, chunks: Iterator[bytes], digest: str, limit: int | None, what: str) -> None:
        super().__init__()
        self._chunks, self._digest, self._limit, self._what = chunks, digest, limit, what
        self._hash = hashlib.sha256()
        self._left = memoryview(b"")
        self._size = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """The next bytes; 0 at the end, once they have been compared."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._end()
            self._note(chunk)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _note(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._limit is not None and self._size > self._limit:
            raise too_large(self._what, self._limit)
        self._hash.update(chunk)
        self._left = memoryview(chunk)

    def _end(self) -> int:
        if self._hash.hexdigest() != self._digest:
            raise DamagedError(f"The artefact {self._what} was changed where it lies.")
        return 0
