"""What was seen in a box: alerts of the rules, processes, files, network, canaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Blame:
    """Who did it.

    ``path`` leads from the root of the dependency tree to the package (names); ``basis`` is a sentence that
    says how we know; ``confidence`` is ``certain``, ``likely`` or ``tree`` (only that it happened within the
    whole tree's run).
    """

    phase: str
    package: str | None
    path: tuple[str, ...]
    script: str | None
    pid: int
    cmdline: str
    basis: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule matched an event. Times in ns since the epoch; ``priority`` as Falco prints it (``Notice``)."""

    time_ns: int
    rule: str
    priority: str
    output: str
    output_fields: Mapping[str, Any]
    tags: tuple[str, ...]
    source: str
    event_num: int
    event_type: str
    pid: int  # thread group, as the host sees it
    tid: int
    blame: Blame | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One program run: a fork without an exec shares its parent's ``exe`` and ``cmdline``.

    ``uid`` and ``pid`` are the host's and the box's own (``vpid``). ``key`` is unique in a scan (pids are
    reused), ``parent`` is the key of the real parent at birth (not the reaper after reparenting).
    """

    key: int
    parent: int | None
    pid: int
    vpid: int
    name: str
    exepath: str
    cmdline: str
    cwd: str
    uid: int
    started_ns: int
    ended_ns: int | None
    exit_code: int | None
    execs: tuple[str, ...] = ()  # earlier command lines of the same process


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file written or deleted in the box; ``process`` is the key of the Process that did it first."""

    path: str
    action: str  # "created" | "written" | "deleted" | "renamed" | "mode"
    process: int
    time_ns: int
    other_path: str | None = None


@dataclass(frozen=True, slots=True)
class SocketUse:
    """An outgoing connection or datagram as the sensor saw it: ties the gateway's records to a process."""

    process: int
    time_ns: int
    protocol: str  # "tcp" | "udp" | "icmp" | "unix"
    address: str
    port: int
    local_address: str
    local_port: int
    result: int  # errno, 0 or EINPROGRESS on success


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A DNS question that the gateway answered. ``written``: its random-looking labels stand in a file of the box, so
    the name was written down before and holds nothing that a program read there."""

    time_ns: int
    name: str
    type: str
    answer: str
    peer_port: int
    blame: Blame | None = None
    written: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection, UDP flow or run of pings that reached the gateway (of pings, ``port`` is 0 and ``peer_port``
    the number that they carry). ``name`` is the name that was resolved to the address, or the TLS server name, or
    None for a bare address."""

    time_ns: int
    protocol: str
    address: str
    port: int
    peer_port: int
    name: str | None
    sni: str | None
    bytes_out: int
    bytes_in: int
    kind: str = "unknown"  # "http" | "tls" | "registry" | "raw" | ...
    blame: Blame | None = None
    head: bytes = b""  # first 4 KiB that the box sent, where it was neither HTTP nor TLS
    sent_ns: int = 0  # when the last of what it sent came, 0 where that is not known


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. ``body`` is its first 64 KiB; ``registry`` is True where it was passed on upstream."""

    time_ns: int
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_bytes: int
    status: int
    peer_port: int
    registry: bool = False
    blame: Blame | None = None
    sent_ns: int = 0  # when the last of what it sent came, 0 where that is not known


@dataclass(frozen=True, slots=True)
class Canary:
    """A fake secret. ``value`` never equals another scan's. ``place`` is a path, ``env:NAME`` or ``memory:PROGRAM`` in
    the box, or the URL of a service that hands it out."""

    id: str
    kind: str
    place: str
    value: str
    lawful: tuple[str, ...] = ()  # lawful uses, e.g. "registry-auth": see decoy/lawful.py

    @property
    def handed_out(self) -> bool:
        """Whether it lies nowhere in the box until a service of the decoy gives it."""
        return self.place.startswith("http:")


@dataclass(frozen=True, slots=True)
class CanaryHit:
    """A canary was seen leaving the box. ``encoding`` is how it was wrapped, outermost first."""

    time_ns: int
    canary: str
    encoding: tuple[str, ...]
    channel: (
        str  # "dns" | "http-url" | "http-header" | "http-body" | "tcp" | "udp" | "icmp" | "over ssh" | ...
    )
    destination: str  # name or address, with port
    peer_port: int
    lawful: bool
    blame: Blame | None = None


@dataclass(frozen=True, slots=True)
class DecoyMark:
    """A decoy answered in a way worth a finding: publish to a registry, metadata credentials handed out, a
    registry request outside the dependency tree, a marker of a decoy download that was executed, ..."""

    time_ns: int
    kind: str  # finding kind, e.g. "registry_publish", "registry_channel", "remote_code_execution", "mining"
    detail: str
    destination: str
    peer_port: int
    blame: Blame | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutsideFetch:
    """Something outside of every registry that was fetched truly (from a host that the settings allow), or that
    a package manager asked for in vain: ``refused`` then says why, else it is empty. ``stood_in`` is the registry's
    host whose file was given for it, since the lock file's digest says that they are the same. ``status`` is DOWN
    where a registry did not answer, however often it was asked."""

    DOWN: ClassVar[int] = 503

    time_ns: int
    url: str
    status: int
    size: int  # bytes that came
    sha256: str  # of those bytes, as they came; "" where it was refused
    refused: str
    peer_port: int
    stood_in: str = ""


@dataclass(frozen=True, slots=True)
class NetworkLog:
    """All that the gateway recorded, in the order of time; ``cut`` counts what limits left out, by kind."""

    dns: tuple[DnsRecord, ...] = ()
    connections: tuple[Connection, ...] = ()
    requests: tuple[Request, ...] = ()
    hits: tuple[CanaryHit, ...] = ()
    marks: tuple[DecoyMark, ...] = ()
    cut: Mapping[str, int] = field(default_factory=dict)
    fetched: tuple[OutsideFetch, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """All that the sensor and the rules saw in one scan (or one replay)."""

    alerts: tuple[Alert, ...] = ()
    processes: tuple[Process, ...] = ()
    files: tuple[FileChange, ...] = ()
    sockets: tuple[SocketUse, ...] = ()
    canary_reads: tuple[CanaryRead, ...] = ()
    events: int = 0
    dropped: int = 0
    frozen_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    cut: Mapping[str, int] = field(default_factory=dict)  # what the limits of this record left out, by kind
    recorded: bool = False  # a recording was asked for, and is whole


@dataclass(frozen=True, slots=True)
class CanaryRead:
    """A file that holds a canary was opened for reading."""

    time_ns: int
    canary: str
    path: str
    process: int
    blame: Blame | None = None
