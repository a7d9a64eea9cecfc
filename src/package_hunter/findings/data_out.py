"""What left for strangers, by who sent it and where to, as far as the gateway kept it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from package_hunter.findings.context import Context, host_asked
from package_hunter.findings.traffic import base_domain
from package_hunter.model.markers import is_marker
from package_hunter.model.observation import Blame, Request

MAX_KEPT = 512 << 10  # bytes that are kept of one sender
_MOST_MESSAGES = 20_000
_WAY = (
    1 << 10
)  # bytes that are looked through in the time that a place and a channel take, whatever little they got
_WORD = re.compile(r"[^\W_]+")
_PLAIN = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")

Sender = tuple[str, str | None]  # package, or the phase where no package is to blame


@dataclass(slots=True)
class Sent:
    """Everything of one sender. ``messages`` are (destination, channel, bytes), ``asked`` what for, in turn."""

    blame: Blame | None
    first_ns: int
    last_ns: int
    messages: list[tuple[str, str, bytes]] = field(default_factory=list)
    asked: list[Hashable] = field(default_factory=list)
    size: int = 0
    cut: int = 0  # messages that there was no room for
    most: int = _MOST_MESSAGES

    def add(self, time_ns: int, where: str, channel: str, data: bytes, asked: Hashable = None) -> None:
        """One more message, as far as there is room."""
        self.first_ns, self.last_ns = min(self.first_ns, time_ns), max(self.last_ns, time_ns)
        if self.size + len(data) > MAX_KEPT or len(self.messages) >= self.most:
            self.cut += 1
            return
        self.size += len(data)
        self.messages.append((where, channel, data))
        if asked is not None:
            self.asked.append(asked)

    def without(self, hosts: frozenset[str]) -> Sent:
        """The same without what these hosts got."""
        if not hosts:
            return self
        kept = [message for message in self.messages if message[0] not in hosts]
        size = sum(len(data) for *_, data in kept)
        return replace(self, messages=kept, size=size, asked=[])

    @property
    def work(self) -> int:
        """What a comparison of it with one secret takes, in bytes."""
        return self.size + _WAY * len({(where, channel) for where, channel, _ in self.messages})

    @property
    def places(self) -> tuple[str, ...]:
        """Where it went, each once: a host, and not the domain as well that its look-up was below."""
        found = dict.fromkeys(where for where, *_ in self.messages)
        return tuple(one for one in found if not any(other.endswith(f".{one}") for other in found))

    def streams(self) -> Iterator[bytes]:
        """What each place got, one after the other; and all that was wrapped in it, unwrapped."""
        ways: dict[tuple[str, str], list[bytes]] = {}
        for where, channel, data in self.messages:
            ways.setdefault((where, channel), []).append(data)
        for parts in ways.values():
            whole = b"".join(parts)
            yield whole
            if inside := b"\n".join(_unwrapped(whole)):
                yield inside
            if len(parts) > 1:
                yield b"\n".join(parts)

    def symbols(self) -> Iterator[list[Hashable] | str | bytes]:
        """The sequences in which a letter may be a byte, a character, a word, or what was asked for."""
        for stream in self.streams():
            text = stream.decode("utf-8", "replace")
            yield stream
            if len(text) != len(stream):
                yield text
                yield re.sub(r"\s", "", text)
            yield list(_WORD.findall(text))
        yield self.asked


def _unwrapped(data: bytes) -> Iterator[bytes]:
    for found in _PLAIN.finditer(data):
        text = found[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        try:
            yield base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue  # no base64: its plain form is looked at anyway
    text = data.strip()
    if len(text) % 2 == 0 and re.fullmatch(rb"[0-9A-Fa-f]{24,}", text):
        yield bytes.fromhex(text.decode())


_PLAIN_HEADERS = frozenset(
    ("host", "connection", "accept", "accept-encoding", "content-length", "content-type")
)


@dataclass(frozen=True, slots=True)
class _Message:
    blame: Blame | None
    time_ns: int
    where: str
    channel: str
    data: bytes
    asked: Hashable = None


def _of_request(request: Request) -> Iterator[_Message]:
    when, where = max(request.time_ns, request.sent_ns), host_asked(request)
    try:
        said = urlsplit(request.url)
    except ValueError:
        said = SplitResult("", where, request.url, "", "")
    head = unquote_to_bytes("\n".join(filter(None, (said.path.lstrip("/"), said.query))))
    asked = (said.netloc, said.path, said.query)
    yield _Message(request.blame, when, where, "url", head, asked)
    yield _Message(request.blame, when, where, "body", request.body)
    for name, value in request.headers:
        if name.lower() not in _PLAIN_HEADERS:
            data = value.encode("utf-8", "replace")
            yield _Message(request.blame, when, where, "header " + name.lower()[:64], data)


def _all(context: Context) -> Iterator[_Message]:
    for request in context.network.requests:
        if not request.registry and not is_marker(request.url, context.markers):
            yield from _of_request(request)
    for one in context.network.connections:
        if one.head and not is_marker(one.name, context.markers):
            when = max(one.time_ns, one.sent_ns)
            yield _Message(one.blame, when, one.name or one.address, one.protocol, one.head)
    asked: set[tuple[Sender, str]] = set()
    for question in context.network.dns:
        domain, key = base_domain(question.name), (sender_of(question.blame), question.name)
        labels = question.name.rstrip(".").removesuffix(domain).strip(".")
        ours = is_marker(question.name, context.markers) or question.name in context.registry_hosts
        if labels and key not in asked and not ours:
            asked.add(key)  # for IPv4 and IPv6: one
            data = labels.replace(".", "").encode("utf-8", "replace")
            yield _Message(question.blame, question.time_ns, domain, "dns", data, labels)


def sent(context: Context) -> dict[Sender, Sent]:
    """Who sent what, in the order of time."""
    found: dict[Sender, Sent] = {}
    for one in sorted(_all(context), key=lambda item: item.time_ns):
        mine = found.setdefault(sender_of(one.blame), Sent(one.blame, one.time_ns, one.time_ns))
        mine.add(one.time_ns, one.where, one.channel, one.data, one.asked)
    return found


def sender_of(blame: Blame | None) -> Sender:
    """Whose it is: a package, whatever it reads at install and sends at import; else all of a phase."""
    if blame is None:
        return "", None
    return ("", blame.package) if blame.package else (blame.phase, None)
