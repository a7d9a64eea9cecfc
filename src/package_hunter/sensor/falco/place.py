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
    "Set PACKAGE_HUNTER_FALCO to http://127.0.0.1:PORT/TOKEN (Falco's http_output), to the path of a file or pipe "
    "(its file_output), or to unix:///run/falco/falco.sock (its gRPC); `package-hunter doctor --falco` prints "
    "Falco's side."
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


@dataclass(frozen=True, slots=True)
class Rpc:
    """Falco's gRPC output: ``target`` as gRPC names it; ``certificates`` is a folder, None for a unix socket."""

    target: str
    certificates: Path | None = None


Place = Http | Lines | Rpc


def place(said: str | None) -> Place:
    """What the setting means. UsageError where it means nothing."""
    if not said:
        raise UsageError("Falco is to be the engine, but nothing says where its alerts come from.", _ADVICE)
    if said.startswith(("unix:", "grpc:")):
        return _rpc(said)
    if said.startswith(("http:", "https:", "tcp:")):
        return _http(said)
    path = Path(said.removeprefix("file://"))
    if not path.is_absolute():
        raise UsageError(f"PACKAGE_HUNTER_FALCO is no absolute path: {said}.", _ADVICE)
    return Lines(path)


def _rpc(said: str) -> Rpc:
    parts = urlsplit(said)
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.netloc:
            raise UsageError(f"PACKAGE_HUNTER_FALCO names no socket: {said}.", _ADVICE)
        return Rpc(f"unix://{parts.path}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or not port or len(parts.path) < 2:
        raise UsageError(
            "PACKAGE_HUNTER_FALCO by gRPC over TCP is grpc://HOST:PORT/FOLDER, the folder holding ca.crt, "
            "client.crt and client.key.",
            _ADVICE,
        )
    return Rpc(parts.netloc, Path(parts.path))


def _http(said: str) -> Http:
    parts = urlsplit(said)
    if parts.scheme != "http":
        raise UsageError(
            f"Falco's alerts cannot come over {parts.scheme}: to a receiver on its machine it speaks plain HTTP.",
            _ADVICE,
        )
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
