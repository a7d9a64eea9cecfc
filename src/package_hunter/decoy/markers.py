"""Decoy downloads call home when they are executed: each by a name of its own."""

from __future__ import annotations

import secrets

from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.model.observation import DecoyMark

_MAX = 10_000


class Markers:
    """Knows which name stands for which download; its look-up, or a connection to it, is the proof."""

    def __init__(self, names: Names, record: NetworkRecorder) -> None:
        self._names, self._record = names, record
        self._domain = f"{secrets.token_hex(6)}.example"
        self._served: dict[str, tuple[str, str]] = {}
        self._seen: set[str] = set()

    def serve(self, url: str, destination: str) -> str:
        """The name that the download now served from ``url`` will ask for."""
        name = f"c{len(self._served)}.{self._domain}"
        if len(self._served) < _MAX:
            self._served[name] = (url, destination)
        return name

    def address(self, name: str) -> str:
        """The v4 address of a marker (for a decoy that cannot look names up)."""
        pair = self._names.addresses(name)
        return pair[0] if pair else "192.0.2.1"

    def is_marker(self, name: str | None) -> bool:
        return name is not None and name.endswith(self._domain)

    def seen(self, name: str, peer_port: int) -> None:
        """The name was asked for or connected to: what was downloaded ran."""
        name = name.lower().rstrip(".")
        if name in self._seen or name not in self._served:
            return
        self._seen.add(name)
        url, destination = self._served[name]
        detail = f"what was downloaded from {url[:500]} was executed"
        evidence = {"url": url[:2000], "marker": name}
        self._record(
            "mark",
            DecoyMark(now(), "remote_code_execution", detail, destination, peer_port, None, evidence),
        )
