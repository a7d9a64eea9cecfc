"""Everything that leaves the box passes here to be searched for canaries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import cached_property
from urllib.parse import parse_qsl, unquote_to_bytes

from package_hunter.decoy.lawful import Registries, is_lawful
from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.decoy.search import Found, Searcher
from package_hunter.decoy.unwrap import Budget
from package_hunter.decoy.web import Ask, Peer
from package_hunter.model.observation import Canary, CanaryHit

_PIECE = 1 << 20  # bytes that are unwrapped together
_INNER = 4 << 20  # bytes that may come out of the wrappings of one piece
_DEEP = 64 << 20  # bytes of one body or connection that are unwrapped; beyond it only needles are looked for
_TAIL = 8 << 10  # of what came in pieces, kept to be joined
_PART = 16  # bytes of a path's part that are worth a look of its own
_STREAMS = 2_000
_THIEVES = 20  # connections that took the same canary the same way to the same place
_PLAIN_HEADERS = frozenset(
    ("host", "connection", "accept", "accept-encoding", "accept-language", "content-length", "content-type",
     "transfer-encoding", "cache-control", "pragma", "expect", "upgrade-insecure-requests")
)  # fmt: skip


class Watch:
    """The canary search of one scan."""

    def __init__(
        self,
        canaries: tuple[Canary, ...],
        references: Iterable[Canary],
        record: NetworkRecorder,
        registries: Registries,
    ) -> None:
        self._planted = tuple(canary for canary in canaries if not canary.handed_out)
        self._references = tuple(references)
        self._record, self._registries = record, registries
        self._seen: dict[tuple[object, ...], set[int]] = {}
        self._streams: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._names: OrderedDict[str, None] = OrderedDict()

    @cached_property
    def searcher(self) -> Searcher:
        """Made at first use, or ahead of it by ``warm_up``."""
        return Searcher(self._planted, self._references)

    def gave(self, canary: Canary) -> None:
        """A service hands it out now: searched for from here on. Before, nobody in the box can know it, and each one
        that is searched for makes the search slower."""
        self.searcher.add(canary)

    def warm_up(self) -> None:
        """Build the automaton (some 0.1 s)."""
        self.searcher.scan(b"")

    def hit(self, found: Found, channel: str, destination: str, peer_port: int, lawful: bool = False) -> None:
        """Record a sighting, once a canary, way and destination; of thefts a few connections each, since another
        process, and so another package, may be behind each."""
        canary = self.searcher.canaries[found.canary]
        key = (canary.id, channel, destination, lawful)
        ports = self._seen.setdefault(key, set())
        most = 1 if lawful or channel in ("dns", "udp", "icmp") else _THIEVES
        if peer_port in ports or len(ports) >= most:
            return
        ports.add(peer_port)
        self._record(
            "hit", CanaryHit(now(), canary.id, found.encoding, channel, destination, peer_port, lawful)
        )

    def best(self, found: Iterable[Found]) -> list[Found]:
        """The simplest sighting of each canary."""
        best: dict[int, Found] = {}
        for one in found:
            if one.canary not in best or len(one.encoding) < len(best[one.canary].encoding):
                best[one.canary] = one
        return list(best.values())

    def dns(self, name: str, peer_port: int) -> None:
        """A name was asked for; its labels are searched, alone and joined to earlier ones."""
        labels = name.rstrip(".").split(".")
        if len(labels) < 3 or name in self._names:
            return
        self._names[name] = None
        if len(self._names) > _STREAMS:
            self._names.popitem(last=False)
        domain = ".".join(labels[-2:]).lower()
        texts = [label.encode("utf-8", "replace") for label in labels[:-2]]
        self._search(b"".join(texts), "dns", domain + ":53", peer_port)
        self._join(("dns", domain), b"".join(texts), "dns", domain + ":53", peer_port)
        for number, text in enumerate(texts[:4]):
            self._join(("dns", domain, str(number)), text, "dns", domain + ":53", peer_port)

    def request(self, ask: Ask) -> None:
        """The head of a request: URL and headers."""
        where, port = ask.peer.destination, ask.peer.peer_port
        self._search(ask.target.encode("latin-1", "replace"), "http-url", where, port)
        for part in ask.raw_path.split("/", 64)[:64]:
            if len(part) >= _PART:  # alone: a slash before it could be one of base64
                self._search(unquote_to_bytes(part.encode("latin-1", "replace")), "http-url", where, port)
        for pair in ask.query.split("&", 64)[:64]:
            if "%" in pair:  # bytes: what is inside may have to begin at their beginning
                self._search(unquote_to_bytes(pair.partition("=")[2]), "http-url", where, port)
        for name, value in ask.headers.items():
            if name in _PLAIN_HEADERS and len(value) < 64:
                continue
            for found in self.best(self.searcher.deep(value.encode("latin-1", "replace"), Budget(_INNER))):
                canary = self.searcher.canaries[found.canary]
                lawful = is_lawful(canary.lawful, ask, name, self._registries)
                self.hit(found, "http-header", where, port, lawful)
        if not self._registries.has("npm", ask.host):
            self._join_request(ask)

    def _join_request(self, ask: Ask) -> None:
        where, port = ask.peer.destination, ask.peer.peer_port
        pairs = parse_qsl(ask.query) if ask.query.count("&") < 64 else []
        for name, value in pairs:
            self._join(("url", where, name[:64]), value.encode(), "http-url", where, port)
        last = ask.raw_path.rpartition("/")[2].encode("latin-1", "replace")
        self._join(("path", where), last, "http-url", where, port)
        if 0 < len(ask.body) <= 512:
            self._join(("body", where), ask.body, "http-body", where, port)

    def body(self, ask: Ask) -> Sink:
        """A request's body is about to come."""
        return Sink(self, "http-body", ask.peer)

    def raw(self, peer: Peer, channel: str) -> Sink:
        """A connection that speaks neither HTTP nor TLS, or a flow of datagrams."""
        return Sink(self, channel, peer, joined=True)

    def pieces(self, peer: Peer, channel: str) -> Sink:
        """What many flows brought to one place, in the order in which it came."""
        return Sink(self, channel, peer)

    def _search(self, data: bytes, channel: str, destination: str, peer_port: int) -> None:
        for found in self.best(self.searcher.deep(data, Budget(_INNER))):
            self.hit(found, channel, destination, peer_port)

    def _join(
        self, key: tuple[str, ...], data: bytes, channel: str, destination: str, peer_port: int
    ) -> None:
        """Append to what this stream carried before, and search over the seams."""
        if not data:
            return
        tail = (self._streams.pop(key, b"") + data)[-_TAIL:]
        self._streams[key] = tail
        if len(self._streams) > _STREAMS:
            self._streams.popitem(last=False)
        if len(tail) == len(data):
            return
        recent = tail[-(4 * self.searcher.overlap + len(data)) :]
        for found in self.best(self.searcher.deep(recent, Budget(_INNER))):
            wrapped = Found(found.canary, ("pieces", *(e for e in found.encoding if e != "split")), 0)
            if not self._known(found.canary, channel, destination):
                self.hit(wrapped, channel, destination, peer_port)

    def _known(self, canary: int, channel: str, destination: str) -> bool:
        return (self.searcher.canaries[canary].id, channel, destination, False) in self._seen


class Sink:
    """Takes the bytes of one body or connection as they come."""

    def __init__(self, watch: Watch, channel: str, peer: Peer, joined: bool = False) -> None:
        self._watch, self._channel, self._peer, self._joined = watch, channel, peer, joined
        self._pending = bytearray()
        self._total = 0
        self._last = b""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._pending += data
        if len(self._pending) >= _PIECE:
            self._search()

    def close(self) -> None:
        """No more come."""
        self._search()

    def _search(self) -> None:
        data = self._last + bytes(self._pending)
        new = len(self._pending)
        self._pending.clear()
        if not new:
            return
        watch, peer = self._watch, self._peer
        if self._total < _DEEP:
            budget = Budget(_INNER)
            found = watch.best(watch.searcher.deep(data, budget))
        else:
            found = watch.best(watch.searcher.scan(data))
        for one in found:
            watch.hit(one, self._channel, peer.destination, peer.peer_port)
        if self._joined and self._total == 0:
            head = data[:1024]
            watch._join(
                (self._channel, peer.destination), head, self._channel, peer.destination, peer.peer_port
            )
        self._total += new
        self._last = data[-watch.searcher.overlap :]
