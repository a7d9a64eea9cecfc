"""The disk cache of registry answers, shared by all scans.

Metadata lies under a key of upstream, address and variant, with what it teaches and the time of its last
validation. Artefacts lie under upstream and the digest that they were verified to have. Files appear
whole (rename) or not at all, so any number of gateways may use one cache.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

_ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")  # best first


@dataclass(slots=True)
class Metadata:
    """A cached metadata answer. ``body`` is as the upstream sent it (compressed or not)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str | None
    validated: float  # seconds since the epoch
    lesson: Mapping[str, Any] = field(default_factory=dict)


def best_digest(sri: str) -> tuple[str, str] | None:
    """Algorithm and hex digest of the strongest hash in an SRI string (``sha512-BASE64 sha1-...``)."""
    found: dict[str, str] = {}
    for item in sri.split():
        algorithm, _, value = item.partition("-")
        try:
            digest = base64.b64decode(value.partition("?")[0], validate=True)
        except (binascii.Error, ValueError):
            continue
        if algorithm in _ALGORITHMS and len(digest) == hashlib.new(algorithm).digest_size:
            found.setdefault(algorithm, digest.hex())
    for algorithm in _ALGORITHMS:
        if algorithm in found:
            return algorithm, found[algorithm]
    return None


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _remove(path: Path) -> None:
    """Away with it, where that may be: a folder that cannot be reached costs the cache, not the scan."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


class PendingArtefact:
    """An artefact on its way into the cache; ``commit`` keeps it only if it has the digest it should have."""

    def __init__(self, target: Path, algorithm: str, digest: str) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        self._target, self._digest = target, digest
        self._hash = hashlib.new(algorithm)
        self._file: BinaryIO | None = self._temporary.open("wb")

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError:  # a full disk costs the cache, not the scan
                self.abandon()

    def commit(self) -> bool:
        """True where the digest is right (the file is then in the cache)."""
        right = self._hash.hexdigest() == self._digest
        if self._file is not None and right:
            try:
                self._file.close()
                self._temporary.replace(self._target)
            except OSError:
                _remove(self._temporary)
            self._file = None
        self.abandon()
        return right

    def abandon(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError:
                pass
            _remove(self._temporary)


class RegistryCache:
    """Files under ``root``, at most ``limit`` bytes (held by ``trim``)."""

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._grown = False

    def metadata(self, upstream: str, path: str, variant: str) -> Metadata | None:
        """What is cached for this address, or None."""
        base = self._metadata_path(upstream, path, variant)
        try:
            raw = base.read_bytes()
            end = raw.index(b"\n")
            head = json.loads(raw[:end])
            return Metadata(
                int(head["status"]),
                tuple((str(k), str(v)) for k, v in head["headers"]),
                raw[end + 1 :],
                head["etag"],
                float(head["validated"]),
                head["lesson"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store_metadata(self, upstream: str, path: str, variant: str, entry: Metadata) -> None:
        """Keep a metadata answer (quietly not, where the disk is full or refuses)."""
        head = {
            "status": entry.status,
            "headers": entry.headers,
            "etag": entry.etag,
            "validated": entry.validated,
            "lesson": entry.lesson,
        }
        target = self._metadata_path(upstream, path, variant)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(json.dumps(head, separators=(",", ":")).encode() + b"\n" + entry.body)
            temporary.replace(target)
            self._grown = True
        except OSError:
            _remove(temporary)

    def _metadata_path(self, upstream: str, path: str, variant: str) -> Path:
        key = _key(path, variant)
        return self._root / _key(upstream)[:16] / "metadata" / key[:2] / key[2:]

    def _artefact_path(self, upstream: str, algorithm: str, digest: str) -> Path:
        return self._root / _key(upstream)[:16] / algorithm / digest[:2] / digest[2:]

    def artefact(self, upstream: str, algorithm: str, digest: str) -> bytes | BinaryIO | None:
        """The artefact with that digest, checked again where it is small enough to be read at once."""
        path = self._artefact_path(upstream, algorithm, digest)
        try:
            file = path.open("rb")
        except OSError:
            return None
        if os.fstat(file.fileno()).st_size > 8 << 20:
            if hashlib.file_digest(file, algorithm).hexdigest() != digest:
                file.close()
                _remove(path)
                return None
            file.seek(0)
            return file
        with file:
            data = file.read()
        if hashlib.new(algorithm, data).hexdigest() != digest:
            _remove(path)
            return None
        return data

    def begin_artefact(self, upstream: str, algorithm: str, digest: str) -> PendingArtefact | None:
        """Room for an artefact, or None where the disk refuses."""
        try:
            pending = PendingArtefact(self._artefact_path(upstream, algorithm, digest), algorithm, digest)
        except OSError:
            return None
        self._grown = True
        return pending

    def trim(self) -> None:
        """Hold the size limit: what was used the longest ago goes first."""
        if not self._grown:
            return
        entries = []
        stale = time.time() - 3600
        for folder, _, files in os.walk(self._root):
            for name in files:
                path = Path(folder, name)
                try:
                    facts = path.stat()
                except OSError:
                    continue
                if name.startswith(".") and facts.st_mtime < stale:
                    _remove(path)  # left by a killed gateway
                    continue
                entries.append((max(facts.st_atime, facts.st_mtime), facts.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._limit:
                break
            _remove(path)
            total -= size
