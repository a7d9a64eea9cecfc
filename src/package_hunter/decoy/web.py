"""HTTP as the decoy world sees it: what was asked, and what is answered."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from package_hunter.model.ecosystem import Facts, derived


@derived
def _agents(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join([r"git/\d", *(agent for one in known for agent in one.agents)]))


@dataclass(slots=True)
class Peer:
    """One connection of the box: where it believes to have arrived. On a socket of the file system ``local`` is
    its path and ``peer_port`` the other end's pid (as the host sees it), negated."""

    address: str
    port: int
    peer_port: int
    name: str | None  # that was resolved to the address
    sni: str | None = None
    tls: bool = False
    started_ns: int = 0
    bytes_out: int = 0  # sent by the box
    bytes_in: int = 0
    local: str = ""
    sent_ns: int = 0  # when the last of its bytes came, since the epoch

    def sent(self, count: int) -> None:
        """So many bytes more came from the box, just now."""
        self.bytes_out += count
        if count:
            self.sent_ns = time.time_ns()

    @property
    def host(self) -> str:
        return self.sni or self.name or self.address

    @property
    def destination(self) -> str:
        if self.local:
            return self.local
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(slots=True)
class Talk:
    """What a connection turned out to be, as far as it got."""

    kind: str = "unknown"
    head: bytes = b""


@dataclass(slots=True)
class Ask:
    """A request of the box. ``host`` is the Host header's name without port; ``target`` as it was sent."""

    method: str
    target: str
    host: str
    headers: Mapping[str, str]  # lower-case names, the last value of each
    peer: Peer
    body: bytes = b""  # as much as is kept
    cut: bool = False  # there was more of it
    size: int = 0  # of its body, bytes that came

    @property
    def by_manager(self) -> bool:
        """Whether a package manager asks, by its own word: nothing may depend on it but waits and refusals."""
        return bool(_agents().match(self.headers.get("user-agent", "")))

    @property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(self.raw_path)

    @property
    def raw_path(self) -> str:
        if self.target.startswith("/"):
            return self.target.partition("?")[0].partition("#")[0]
        try:
            return urlsplit(self.target).path or "/"
        except ValueError:
            return "/"

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def url(self) -> str:
        if "://" in self.target[:12]:
            return self.target
        scheme = "https" if self.peer.tls else "http"
        standard = self.peer.port == (443 if self.peer.tls else 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}{'' if standard else f':{self.peer.port}'}{self.target}"


Body = bytes | BinaryIO | AsyncIterator[bytes]


@dataclass(slots=True)
class Answer:
    """What goes back. A streamed body needs a content-length header or is sent in chunks."""

    status: int = 200
    body: Body = b""
    headers: tuple[tuple[str, str], ...] = ()
    type: str = "text/html; charset=utf-8"
    registry: bool = False  # passed on upstream (or from its cache)
    close: bool = False
    length: int | None = field(default=None)


def json_answer(text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """A JSON answer."""
    return Answer(status, text.encode(), headers, "application/json; charset=utf-8")
