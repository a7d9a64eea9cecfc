"""Where Falco's alerts come from, as the setting PACKAGE_HUNTER_FALCO says it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from package_hunter.errors import UsageError

MIN_TOKEN = 16
Take = Callable[[bytes], None]
_ADVICE = (
    "Set PACKAGE_HUNTER_FALCO to http://127.0.0.1:PORT/TOKEN (Falco's http_output) or to the path of a file or "
    "pipe (its file_output); `package-hunter doctor --falco` prints Falco's side."
)


class AlertSource(Protocol):
    """A way in which alerts come: ``take`` is called with each one's bytes, in a thread of the source's own."""

    refused: int  # alerts that came and were not taken: too long, too many at once

    def start(self, take: Take) -> None:
        """Alerts that come from now on are taken. HostError where that cannot be."""
        ...

    def stop(self) -> None:
        """No more are taken; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Http:
    """Falco posts to us."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """What Falco is told."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/{self.token}"


@dataclass(frozen=True, slots=True)
class Lines:
    """Falco writes lines into a file or a pipe."""

    path: Path


def place(said: str | None) -> Http | Lines:
    """What the setting means. UsageError where it means nothing."""
    if not said:
        raise UsageError("Falco is to be the engine, but nothing says where its alerts come from.", _ADVICE)
    if said.startswith(("http:", "https:", "unix:", "grpc:", "tcp:")):
        return _http(said)
    path = Path(said.removeprefix("file://"))
    if not path.is_absolute():
        raise UsageError(f"PACKAGE_HUNTER_FALCO is no absolute path: {said}.", _ADVICE)
    return Lines(path)


def _http(said: str) -> Http:
    parts = urlsplit(said)
    if parts.scheme != "http":
        more = {"https": " Falco speaks plain HTTP to a receiver on the same machine."}.get(
            parts.scheme, " Falco's gRPC output is not supported: Falco 0.44 no longer has it."
        )
        raise UsageError(f"Falco's alerts cannot come over {parts.scheme}.{more}", _ADVICE)
    try:
        host, port = parts.hostname or "", parts.port or 0
        host = "127.0.0.1" if host == "localhost" else str(ipaddress.ip_address(host))
    except ValueError:
        raise UsageError("The address of PACKAGE_HUNTER_FALCO is no IP address and port.", _ADVICE) from None
    token = parts.path.removeprefix("/")
    if port == 0 or len(token) < MIN_TOKEN or not token.isascii() or "/" in token or parts.query:
        raise UsageError(
            f"PACKAGE_HUNTER_FALCO needs a port and, as its path, a secret of at least {MIN_TOKEN} letters and "
            "digits: whoever knows it can invent alerts.",
            _ADVICE,
        )
    return Http(host, port, token)
