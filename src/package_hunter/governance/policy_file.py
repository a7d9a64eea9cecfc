"""The server's policy file (`Settings.policy_file`): what holds for all where the store has no policy for all.

It is read again when it changes. Where a process cannot read it any more (the server gives up its rights), what it read
last goes on to hold there, and the log says so.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from package_hunter.errors import UsageError
from package_hunter.governance.document import Document, digest_of, from_toml, policy_of
from package_hunter.policy.layers import ALL, Layer
from package_hunter.policy.load import read_text

log = structlog.get_logger(__name__)

_NONE = Layer(ALL, policy_of({}, "the default"), digest_of({}))


class PolicyFile:
    """The file, and what it said last."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._layer, self._document = _NONE, Document()
        self._told = ""
        if path is not None:
            self._read(path)

    def layer(self) -> Layer:
        """What it says now."""
        if self._path is None:
            return self._layer
        try:
            if _stamp(self._path) != self._stamp:
                self._read(self._path)
        except (OSError, UsageError) as error:
            if str(error) != self._told:  # once, not at every question
                self._told = str(error)
                log.warning("policy file kept as it was", error=self._told)
        return self._layer

    def document(self) -> Document:
        """The same, as a document."""
        self.layer()
        return self._document

    def since(self) -> int:
        """When it was last changed (ms since the epoch); 0 where there is none."""
        return 0 if self._stamp is None else self._stamp[0] // 1_000_000

    def _read(self, path: Path) -> None:
        """UsageError where it is wrong."""
        document = from_toml(read_text(path), str(path))
        self._document = document
        self._layer = Layer(ALL, policy_of(document, str(path)), digest_of(document))
        self._stamp, self._told = _stamp(path), ""


def _stamp(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size


_current = PolicyFile(None)


def use(path: Path | None) -> None:
    """Say which file it is, in this process; the last word counts. UsageError where it is wrong."""
    global _current
    _current = PolicyFile(path)


def layer() -> Layer:
    """What holds for all where the store says nothing."""
    return _current.layer()


def since() -> int:
    """Since when it has held (ms since the epoch)."""
    return _current.since()


def document() -> Document:
    """What holds for all where the store says nothing, as a document."""
    return _current.document()
