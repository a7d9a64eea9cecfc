"""The network map: who talked to whom, what left, and what was in it.

Rows of doers and destinations; of each talk its requests, with the body where a fake was found, wrappings taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_hunter.model.observation import Blame, CanaryHit, Connection, Request
from package_hunter.report import traffic, words
from package_hunter.report.evidence.decoded import Layer, layers

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

MAX_TALKS = 60
_MAX_REQUESTS = 30  # of a talk
_MAX_LOOKUPS = 500
_ROW = 34  # px of a destination in the picture


@dataclass(slots=True)
class Sent:
    """A request, or the beginning of what was sent where it was none. ``secrets`` are kinds of fakes found in what went
    there just then."""

    title: str  # the method, or what it is
    url: str
    status: int | None
    size: int
    headers: Sequence[tuple[str, str]]
    layers: Sequence[Layer]
    secrets: tuple[str, ...]


@dataclass(slots=True)
class Talk:
    """A doer and a destination. ``weight`` is 1 to 6, by what was sent; ``y`` the row's middle in the picture."""

    doer: str
    destination: str
    address: str
    port: int
    protocol: str
    kinds: list[str]
    processes: dict[int, str] = field(default_factory=dict)
    connections: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    secrets: dict[str, int] = field(default_factory=dict)
    ways: dict[str, None] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    more: int = 0
    y: int = 0

    @property
    def weight(self) -> int:
        """By the order of magnitude."""
        return min(6, max(1, len(str(max(1, self.bytes_out)))))


@dataclass(slots=True)
class Doer:
    """Somebody in the picture, at the middle of his talks."""

    name: str
    y: int
    hot: bool


@dataclass(slots=True)
class Network:
    """``lookups`` are names that were asked for, each once."""

    talks: list[Talk]
    doers: list[Doer]
    height: int
    more: int
    lookups: list[str]
    more_lookups: int


def mapped(evidence: Exhibits) -> Network:
    """The map of a report."""
    talks: dict[tuple[str, str, int, str], Talk] = {}
    for contact in evidence.contacts:
        _connected(evidence, talks, contact)
    for request in evidence.requests:
        _asked(evidence, talks, request)
    _secrets(evidence, talks)
    ordered = sorted(talks.values(), key=lambda t: (not t.secrets, -t.bytes_out, t.destination))
    by_doer: dict[str, list[Talk]] = defaultdict(list)
    for talk in ordered[:MAX_TALKS]:
        by_doer[talk.doer].append(talk)
    shown = [talk for those in by_doer.values() for talk in those]
    for number, talk in enumerate(shown):
        talk.y = number * _ROW + _ROW // 2
    doers = [
        Doer(name, sum(t.y for t in those) // len(those), any(t.secrets for t in those))
        for name, those in by_doer.items()
    ]
    names = list(dict.fromkeys(d.name for d in evidence.report.network.dns))
    return Network(
        shown,
        doers,
        len(shown) * _ROW,
        len(ordered) - len(shown),
        names[:_MAX_LOOKUPS],
        max(0, len(names) - _MAX_LOOKUPS),
    )


_Talks = dict[tuple[str, str, int, str], Talk]


def _talk(evidence: Exhibits, talks: _Talks, blame: Blame | None, where: tuple[str, str, int, str]) -> Talk:
    name, address, port, protocol = where
    doer = evidence.who(blame)
    key = (doer, name or address, port, protocol)
    if key not in talks:
        shown = address if not name or traffic.real_address(address) else ""
        talks[key] = Talk(doer, name or address, shown, port, protocol, [])
    return talks[key]


def _connected(evidence: Exhibits, talks: _Talks, contact: Connection) -> None:
    where = (contact.name or "", contact.address, contact.port, contact.protocol)
    talk = _talk(evidence, talks, contact.blame, where)
    talk.connections += 1
    talk.bytes_out += contact.bytes_out
    talk.bytes_in += contact.bytes_in
    if contact.kind not in talk.kinds and contact.kind != "unknown":
        talk.kinds.append(contact.kind)
    key = evidence.process_of(contact.blame, contact.time_ns)
    if key is not None and contact.blame is not None:
        talk.processes.setdefault(key, contact.blame.cmdline)
    if contact.head:
        _keep(
            talk,
            Sent("First bytes that were sent", "", None, contact.bytes_out, (), layers(contact.head), ()),
        )


def _asked(evidence: Exhibits, talks: _Talks, request: Request) -> None:
    host = traffic.host_of(request.url) or "?"
    doer = evidence.who(request.blame)
    known = [t for t in talks.values() if t.destination == host]
    talk = next((t for t in known if t.doer == doer), known[0] if known else None)
    if talk is None:
        talk = _talk(evidence, talks, request.blame, (host, host, 0, "tcp"))
    kinds = [
        evidence.kinds.get(h.canary, h.canary)
        for h in evidence.report.canaries.sent
        if not h.lawful and h.peer_port == request.peer_port and h.destination.partition(":")[0] == host
    ]
    if not any(h.peer_port for h in evidence.report.canaries.sent):  # read back from JSON, which has no ports
        kinds = _near(evidence, request, host)
    found = tuple(dict.fromkeys(kinds))
    sent = Sent(request.method, request.url, request.status, request.body_bytes, request.headers, (), found)
    sent.layers = layers(request.body)
    _keep(talk, sent)


def _near(evidence: Exhibits, request: Request, host: str) -> list[str]:
    """Fakes that went to the host while this request was sent, or within a moment."""
    return [
        evidence.kinds.get(h.canary, h.canary)
        for h in evidence.report.canaries.sent
        if not h.lawful
        and h.destination.partition(":")[0] == host
        and abs(h.time_ns - request.time_ns) < 250_000_000
    ]


def _keep(talk: Talk, sent: Sent) -> None:
    if len(talk.sent) < _MAX_REQUESTS:
        talk.sent.append(sent)
    else:
        talk.more += 1


def _secrets(evidence: Exhibits, talks: Mapping[tuple[str, str, int, str], Talk]) -> None:
    for hit in evidence.report.canaries.sent:
        if hit.lawful:
            continue
        host, _, port = hit.destination.rpartition(":")
        talk = _best(evidence, talks, hit, host or hit.destination, port)
        if talk is None:
            continue
        kind = evidence.kinds.get(hit.canary, hit.canary)
        talk.secrets[kind] = talk.secrets.get(kind, 0) + 1
        talk.ways[" in ".join((*hit.encoding[::-1], hit.channel)) if hit.encoding else hit.channel] = None


def _best(
    evidence: Exhibits, talks: Mapping[tuple[str, str, int, str], Talk], hit: CanaryHit, host: str, port: str
) -> Talk | None:
    known = [t for t in talks.values() if host in (t.destination, t.address)]
    doer = words.who(hit.blame)
    same = [t for t in known if str(t.port) == port] or known
    return next((t for t in same if t.doer == doer), same[0] if same else None)
