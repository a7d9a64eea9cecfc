"""Signals from what the gateway recorded: stolen canaries, decoys' marks, data out, downloads."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from package_hunter.findings.beside import MAX_QUERY, hidden_beside, said_beside, split, values
from package_hunter.findings.catalog import Class, kinds
from package_hunter.findings.context import KNOWN_SPEECH, Context, host_asked
from package_hunter.findings.signals import Signal
from package_hunter.findings.traffic import (
    base_domain,
    carries_data,
    facts_in,
    hides_in_frames,
    is_opaque,
    joined_payload,
    name_facts,
)
from package_hunter.model.box import HOME
from package_hunter.model.markers import is_marker
from package_hunter.model.observation import (
    CanaryHit,
    Connection,
    DecoyMark,
    DnsRecord,
    NetworkLog,
    Request,
)


def host_of(destination: str) -> str:
    """``collect.example:443`` -> ``collect.example``; addresses of both families too."""
    host, colon, port = destination.rpartition(":")
    return host.strip("[]") if colon and port.isdigit() and (":" not in host or "]" in host) else destination


def is_address(host: str) -> bool:
    """Whether it is a bare IP address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


# kinds of connections whose conversation is played, as people write them
_PROTOCOLS = {
    "h2": "HTTP/2", "websocket": "WebSocket", "redis": "Redis", "mongo": "MongoDB", "postgres": "PostgreSQL",
    "mysql": "MySQL", "mqtt": "MQTT", "smb": "SMB", "smtp": "SMTP", "imap": "IMAP", "pop3": "POP3", "ftp": "FTP",
    "ftp-data": "FTP", "ssh": "SSH", "ldap": "LDAP",
}  # fmt: skip


def _through(hit: CanaryHit) -> str:
    wrapped = f", wrapped in {', '.join(hit.encoding)}" if hit.encoding else ""
    spoken = hit.channel.removeprefix("over ")
    channel = hit.channel if spoken == hit.channel else f"over {_PROTOCOLS.get(spoken, spoken.upper())}"
    return f"{channel}{wrapped}"


# What a kind's name says first, of fakes that a decoy hands out -> how its label is written
_LABELS = {
    "identity": "identity token of {}",
    "stored": "secret from {}",
    "minted": "minted {}",
    "metadata": "{}",
}


def secret_label(kind: str) -> str:
    """``npm-token`` -> ``npm token``, ``identity-github`` -> ``identity token of github``."""
    head, _, rest = kind.partition("-")
    words = rest.replace("-", " ").replace("_", " ")
    if rest and (form := _LABELS.get(head)):
        return form.format(words)
    return kind.replace("-", " ").replace("_", " ")


def secret_place(place: str) -> str:
    """Where a fake lay, or who gave it, in words."""
    if place.startswith("memory:"):
        return f"in the memory of {place.removeprefix('memory:')}"
    if place.startswith("http:"):
        host = split(place).hostname or ""
        return f"that {host if '.' in host else 'the ' + host} gave out"
    variable = place.removeprefix("env:")
    return f"of the environment ({variable})" if variable != place else f"of {place}"


def _hits(context: Context) -> Iterator[Signal]:
    for hit in context.network.hits:
        if hit.lawful:
            continue
        canary = context.canaries.get(hit.canary)
        label = secret_label(canary.kind if canary else hit.canary)
        place = canary.place if canary else "an unknown place"
        yield Signal(
            time_ns=hit.time_ns,
            kind="exfiltration",
            weight=Class.PROOF,
            subject=host_of(hit.destination),
            what=f"The {label} {secret_place(place)} was sent to {hit.destination} ({_through(hit)})",
            blame=hit.blame,
            data={
                "canary": hit.canary,
                "kind": label,
                "place": place,
                "channel": hit.channel,
                "encoding": list(hit.encoding),
                "destination": hit.destination,
            },
            attack=("T1048.003",) if hit.channel == "dns" else (),
        )


def _marks(context: Context) -> Iterator[Signal]:
    led = {str(mark.evidence.get("lead")) for mark in context.network.marks if mark.kind == "dead_drop"}
    for mark in context.network.marks:
        kind = kinds().get(mark.kind, kinds()["other"])
        by_name = kind.group[:1] == ("name",)
        yield Signal(
            time_ns=mark.time_ns,
            kind=kind.name,
            weight=kind.weight,
            subject=host_of(mark.destination) if by_name else mark.detail,
            what=f"{mark.detail} ({mark.destination})" if mark.destination else mark.detail,
            blame=mark.blame,
            data={"destination": mark.destination, **mark.evidence},
            facts={
                "bare_address": is_address(host_of(mark.destination)),
                "led": kind.name == "remote_code_execution" and host_of(mark.destination) in led,
                "in_memory": kind.name == "remote_code_execution" and _in_memory(context, mark),
            },
        )


def _in_memory(context: Context, mark: DecoyMark) -> bool:
    """Whether the process that executed the download is the one that fetched it, and wrote no program."""
    process = context.key_of(mark.blame, mark.time_ns)
    fetchers = context.fetchers.get(str(mark.evidence.get("url")))
    return process is not None and process in (fetchers or ()) and process not in context.program_writers


def _sent(request: Request) -> bytes:
    return b"\n".join([request.body, said_beside(request)])


def _read(network: NetworkLog) -> frozenset[tuple[int, str]]:
    """Connections (port of the box, host) in which a stolen secret was found: what they carried could be read."""
    return frozenset((hit.peer_port, host_of(hit.destination)) for hit in network.hits if not hit.lawful)


def _body_hides(request: Request) -> bool:
    return is_opaque(request.body, ",".join(values(request, "content-encoding")))


# conversations that nothing is to be told of by the look of their first bytes: what was said inside of their cipher,
# or in their encoding, was read
_TALKED = ("smtp", "imap", "pop3", "ftp", "ftp-data", "ssh", "ldap")


# binary protocols, of whose messages the values are text: only a piece of a message can be unreadable
_FRAMED = ("mongo", "mqtt", "mysql")


def _hides(connection: Connection) -> bool:
    """Whether what a connection said, as far as it could be heard, is something that we cannot read."""
    return (hides_in_frames if connection.kind in _FRAMED else is_opaque)(connection.head)


def _requests(context: Context, facts: Iterable[str]) -> Iterator[Signal]:
    wanted, read = tuple(facts), _read(context.network)
    for request in context.network.requests:
        if request.registry or is_marker(request.url, context.markers):
            continue
        host = host_asked(request)
        query = len(split(request.url).query)
        hidden = hidden_beside(request)
        size = request.body_bytes + max(query, hidden)
        data = {"method": request.method, "url": request.url[:500], "body_bytes": request.body_bytes}
        about = {"bare_address": is_address(host)}
        unread = (request.peer_port, host) not in read
        if request.body_bytes or query > MAX_QUERY or hidden:
            yield Signal(
                max(request.time_ns, request.sent_ns),  # it may have been begun long before
                "data_sent",
                Class.INFO,
                host,
                f"{size} bytes went to {host} ({request.method})",
                request.blame,
                data=data,
                facts=about | {"bytes": size, "opaque": unread and (hidden > 0 or _body_hides(request))},
            )
        if request.method in ("GET", "POST") and 200 <= request.status < 300:
            what = f"Something was fetched from {request.url[:200]}"
            yield Signal(
                request.time_ns, "fetched", Class.INFO, host, what, request.blame, data=data, facts=about
            )
        if found := facts_in(_sent(request), wanted):
            yield Signal(
                request.time_ns,
                "host_facts_sent",
                kinds()["host_facts_sent"].weight,
                host,
                f"A request to {host} names {', '.join(found)}",
                request.blame,
                data=data | {"facts": found},
                facts={"in_dns": False},
            )


def _protocol(connection: Connection) -> str:
    name = _PROTOCOLS.get(connection.kind)
    return f"over {name}" if name else "in no protocol that we know"


def _raw(
    connection: Connection, wanted: tuple[str, ...], read: frozenset[tuple[int, str]]
) -> Iterator[Signal]:
    host = connection.name or connection.address
    readable = connection.kind in _TALKED or (connection.peer_port, host) in read
    data = {"port": connection.port, "protocol": connection.protocol, "bytes_out": connection.bytes_out}
    yield Signal(
        max(connection.time_ns, connection.sent_ns),
        "data_sent",
        Class.INFO,
        host,
        f"{connection.bytes_out} bytes went to {host}, port {connection.port}, {_protocol(connection)}",
        connection.blame,
        data=data,
        facts={
            "bytes": connection.bytes_out,
            "opaque": not readable and _hides(connection),
            "bare_address": not connection.name,
        },
    )
    if found := facts_in(connection.head, wanted):
        yield Signal(
            connection.time_ns,
            "host_facts_sent",
            kinds()["host_facts_sent"].weight,
            host,
            f"Data sent to {host} names {', '.join(found)}",
            connection.blame,
            data=data | {"facts": found},
            facts={"in_dns": False},
        )


def _connections(context: Context, facts: Iterable[str]) -> Iterator[Signal]:
    wanted, read = tuple(facts), _read(context.network)
    for connection in context.network.connections:
        ours = is_marker(connection.name, context.markers)
        known = connection.kind in KNOWN_SPEECH
        if not ours and not known and connection.bytes_out > 0:
            yield from _raw(connection, wanted, read)


_WRITTEN = (
    2  # names of a domain that may stand in files and carry nothing; more of them are a channel all the same
)


def _look_up(question: DnsRecord, found: list[str], excused: bool = False) -> Iterator[Signal]:
    domain = base_domain(question.name)
    if found:
        yield Signal(
            question.time_ns,
            "host_facts_sent",
            kinds()["host_facts_sent"].weight,
            domain,
            f"Look-ups of names under {domain} carry {', '.join(found)}",
            question.blame,
            data={"name": question.name, "facts": found},
            facts={"in_dns": True},
        )
    if found or (carries_data(question.name) and not excused):
        yield Signal(
            question.time_ns,
            "dns_channel",
            kinds()["dns_channel"].weight,
            domain,
            f"Data was put into a look-up: {question.name}",
            question.blame,
            data={"name": question.name, "type": question.type},
        )


def _dns(context: Context, facts: Iterable[str]) -> Iterator[Signal]:
    """Names that carry data, one by one and, as data is sent in pieces, joined by domain."""
    wanted = tuple(facts)
    told: set[str] = set()
    pieces: dict[str, list[DnsRecord]] = {}
    written: dict[str, set[str]] = {}
    for question in context.network.dns:
        if question.written:
            written.setdefault(base_domain(question.name), set()).add(question.name.lower())
    for question in context.network.dns:
        if is_marker(question.name, context.markers):
            continue
        found = name_facts(question.name, wanted)
        if found:
            told.add(base_domain(question.name))
        pieces.setdefault(base_domain(question.name), []).append(question)
        excused = question.name.lower() in (names := written.get(base_domain(question.name), set()))
        yield from _look_up(question, found, excused and len(names) <= _WRITTEN)
    for domain, questions in pieces.items():
        if domain not in told and len(questions) > 1:
            joined = joined_payload(q.name for q in questions)
            yield from _look_up(questions[-1], facts_in(joined, wanted), excused=True)  # by itself each was


def signals(context: Context, host_facts: Iterable[str]) -> Iterator[Signal]:
    """Everything in the gateway's log that means something to the judge."""
    facts = (HOME, *host_facts)
    yield from _hits(context)
    yield from _marks(context)
    yield from _requests(context, facts)
    yield from _connections(context, facts)
    yield from _dns(context, facts)


def hosts_asked(network: NetworkLog) -> frozenset[str]:
    """Hosts that were asked over HTTP(S)."""
    return frozenset(host_asked(r) for r in network.requests if not r.registry)
