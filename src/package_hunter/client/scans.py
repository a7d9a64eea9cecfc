"""Scans of a server, over HTTP: what `package-hunter scans --server` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from package_hunter.client.remote import Remote

Json = dict[str, Any]


class RemoteScans:
    """See `cli.scans_here.LocalScans`, which does the same on the store of this machine. Errors as `Remote.scan`."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def list(self, asked: Mapping[str, Any]) -> Json:
        """A page."""
        return self._remote.get("/scans", {key: str(value) for key, value in asked.items()})

    def show(self, scan: str) -> Json:
        """How it stands."""
        return self._remote.get(f"/scans/{_id(scan)}", {})

    def cancel(self, scan: str, why: str) -> Json:
        """End it."""
        return self._remote.post(f"/scans/{_id(scan)}/cancel", {}, {"why": why})

    def rescan(self, scan: str, depth: str | None, priority: str) -> Json:
        """The same once more."""
        depths = {} if depth is None else {"depth": depth}
        return self._remote.post(f"/scans/{_id(scan)}/rescan", {}, depths | {"priority": priority})

    def rejudge(self, scan: str) -> Json:
        """Have its recording judged by the rules of now."""
        return self._remote.post(f"/scans/{_id(scan)}/rejudge", {}, {})

    def rerun(self, scan: str, priority: str) -> Json:
        """Let a dead letter wait again."""
        return self._remote.post(f"/scans/{_id(scan)}/rerun", {}, {"priority": priority})

    def dead(self, limit: int) -> Json:
        """The dead letters."""
        return self._remote.get("/dead-letters", {"limit": str(limit)})

    def delete(self, scan: str, why: str, force: bool) -> None:
        """Delete it."""
        query = {"why": why} | ({"force": "true"} if force else {})
        self._remote.delete(f"/scans/{_id(scan)}", query)

    def files(self, scan: str, kind: str) -> Json:
        """What is kept of it: ``recordings`` or ``dropped``."""
        return self._remote.get(f"/scans/{_id(scan)}/{kind}", {})

    def fetch(self, scan: str, kind: str, digest: str, to: Path, recipient: str | None) -> None:
        """One of them, into a new file."""
        query = {} if recipient is None else {"recipient": recipient}
        self._remote.download(f"/scans/{_id(scan)}/{kind}/{_id(digest)}", query, to)

    def events(self, scan: str) -> Iterator[Json]:
        """What is told of it until it ends: ``{"event", "id", "data"}``; comes back where it is broken off."""
        return self._remote.events(f"/scans/{_id(scan)}/events")


def _id(text: str) -> str:
    """As a part of a path: what is no id finds nothing."""
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c == "-"))[:64] or "none"
