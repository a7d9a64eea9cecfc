"""Artefacts over a place: named by digest, sealed where there is a key, compared while they are read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, cast

from package_hunter.storage.base import DIGEST, Found, Kind, Stored, checked_digest
from package_hunter.storage.blobs import Blob, Blobs
from package_hunter.storage.errors import ChangedError, MissingError, too_large
from package_hunter.storage.incoming import Incoming, Spool
from package_hunter.storage.keys import Keys
from package_hunter.storage.reading import Compared
from package_hunter.storage.sealing import seal, sealed_size, unseal

_CHUNK = 1 << 20  # bytes
_SEALED = ".sealed"
_TIMES = 3  # that something is read which is stored anew meanwhile


class SealedArtefacts:
    """Implements `base.Artefacts`. Without a key they lie there as they are: ``sha256sum`` says a file's name."""

    def __init__(self, place: Blobs, spool: Spool, keys: Keys) -> None:
        self._place, self._spool, self._keys = place, spool, keys

    def put(self, kind: Kind, source: BinaryIO | bytes) -> Stored:
        """See the port. The name must be known before the first byte is sealed, so all of it comes in first."""
        if isinstance(source, bytes):
            found = Stored(hashlib.sha256(source).hexdigest(), len(source))
            self._put(kind, found, iter((source,)))
            return found
        incoming = self.begin()
        try:
            for chunk in _read(source):
                incoming.write(chunk)
            incoming.done()
            return self.keep(kind, incoming)
        finally:
            incoming.discard()

    def begin(self, expected: int = 0) -> Incoming:
        """See the port."""
        return self._spool.begin(expected)

    def keep(self, kind: Kind, incoming: Incoming) -> Stored:
        """See the port."""
        found = Stored(checked_digest(incoming.sha256), incoming.size)
        if self._keys.sealing is not None or not self._place.adopt(_name(kind, found.digest), incoming):
            with incoming.content() as content:
                self._put(kind, found, _read(content))
        return found

    def _put(self, kind: Kind, found: Stored, chunks: Iterable[bytes]) -> None:
        name, key = _name(kind, found.digest), self._keys.sealing
        if key is None:
            self._place.put(name, chunks, found.size)
        else:
            self._place.put(name + _SEALED, seal(chunks, key, name), sealed_size(found.size))

    def open(self, kind: Kind, digest: str, limit: int | None = None) -> BinaryIO:
        """See the port."""
        return cast(BinaryIO, io.BufferedReader(self._compared(kind, digest, limit), _CHUNK))

    def _compared(self, kind: Kind, digest: str, limit: int | None) -> Compared:
        name = _name(kind, checked_digest(digest))
        return Compared(self._content(name, limit), digest, limit, name)

    def _content(self, name: str, limit: int | None) -> Iterator[bytes]:
        """What is sealed is looked for first where there is a key, else the plain form."""
        sealed_first = self._keys.sealing is not None
        for sealed in (sealed_first, not sealed_first):
            try:
                found = self._place.get(name + _SEALED if sealed else name)
            except MissingError:
                continue
            if limit is not None and found.size > (sealed_size(limit) if sealed else limit):
                raise too_large(name, limit)  # before it is read: a hole costs whoever made it nothing
            return unseal(found.pieces, self._keys, name) if sealed else found.pieces
        raise MissingError(f"The artefact {name} is not there.", "It was removed, or never stored here.")

    def copy(self, kind: Kind, digest: str, target: IO[bytes], limit: int | None = None) -> int:
        """See the port."""
        for left in reversed(range(_TIMES)):
            target.seek(0)
            target.truncate()
            try:
                for chunk in _read(self.open(kind, digest, limit)):
                    target.write(chunk)
                target.flush()
                return target.tell()
            except ChangedError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def stat(self, kind: Kind, digest: str) -> Found | None:
        """See the port."""
        name = _name(kind, checked_digest(digest))
        for form in (name + _SEALED, name):
            blob = self._place.head(form)
            if blob is not None:
                return Found(kind, digest, blob.size, blob.changed)
        return None

    def delete(self, kind: Kind, digest: str) -> None:
        """See the port: both forms."""
        name = _name(kind, checked_digest(digest))
        self._place.delete(name)
        self._place.delete(name + _SEALED)

    def list(self, kind: Kind) -> Iterator[Found]:
        """See the port. What has another name than an artefact's is not ours, and is passed over."""
        for blob in self._place.list(kind.value):
            digest = _digest(kind, blob)
            if digest is not None:
                yield Found(kind, digest, blob.size, blob.changed)

    def sweep(self) -> int:
        """See the port."""
        return self._spool.sweep()

    def free(self) -> int:
        """See the port."""
        return self._spool.free()


def _name(kind: Kind, digest: str) -> str:
    return f"{kind.value}/{digest[:2]}/{digest}"


def _digest(kind: Kind, blob: Blob) -> str | None:
    digest = blob.name.rpartition("/")[2].removesuffix(_SEALED)
    return digest if DIGEST.match(digest) and blob.name.startswith(_name(kind, digest)) else None


def _read(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk
