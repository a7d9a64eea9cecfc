"""The network log, as the gateway recorded it. What left the box of the fakes stands under ``canaries``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from package_hunter.model.forms.kinds import (
    As,
    Count,
    Counts,
    Facts,
    Hidden,
    Many,
    Number,
    Text,
    Time,
    Via,
    form,
    one_of,
)
from package_hunter.model.forms.observed import Blamed
from package_hunter.model.observation import CanaryHit, Connection, DecoyMark, DnsRecord, NetworkLog, Request
from package_hunter.model.plain import body_json
from package_hunter.model.text import well_formed

Port = Annotated[Number, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 65535})]
Encoding = Annotated[Text, one_of("utf-8", "base64")]


def _bytes(text: str, encoding: str, what: str) -> bytes:
    if encoding == "utf-8":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a {what} is not base64: {error}") from error


@form
class DnsForm:
    """A DNS question and its answer."""

    time_ns: Annotated[Time, Field(alias="time")]
    name: Text
    type: Text
    answer: Text
    blame: Blamed | None
    peer_port: Hidden[int] = 0
    written: Hidden[bool] = False


@form
class MarkForm:
    """A decoy answered in a way worth a finding."""

    time_ns: Annotated[Time, Field(alias="time")]
    kind: Text
    detail: Text
    destination: Text
    evidence: Facts
    blame: Blamed | None
    peer_port: Hidden[int] = 0


@dataclass(slots=True, kw_only=True)
class ConnectionForm:
    """A TCP connection or UDP flow."""

    time: Time
    name: Text | None
    address: Text
    port: Port
    protocol: Text
    sni: Text | None = None
    kind: Text = "unknown"
    bytes_out: Count = 0
    bytes_in: Count = 0
    head: Text = ""
    head_encoding: Encoding = "utf-8"
    blame: Blamed | None

    @classmethod
    def of(cls, c: Connection) -> ConnectionForm:
        """The form of a connection."""
        head, encoding = body_json(c.head)
        return cls(
            time=c.time_ns,
            name=c.name,
            address=c.address,
            port=c.port,
            protocol=c.protocol,
            sni=c.sni,
            kind=c.kind,
            bytes_out=c.bytes_out,
            bytes_in=c.bytes_in,
            head=head,
            head_encoding=encoding,
            blame=c.blame,
        )

    def value(self) -> Connection:
        """The connection; its local port is not known any more."""
        return Connection(
            time_ns=self.time,
            protocol=self.protocol,
            address=self.address,
            port=self.port,
            peer_port=0,
            name=self.name,
            sni=self.sni,
            bytes_out=self.bytes_out,
            bytes_in=self.bytes_in,
            kind=self.kind,
            blame=self.blame,
            head=_bytes(self.head, self.head_encoding, "head"),
        )


def _header_json(header: tuple[str, str]) -> dict[str, str]:
    return {"name": well_formed(header[0]), "value": well_formed(header[1])}


def _header(data: Any) -> Any:
    return (data["name"], data["value"])


Header = Annotated[
    tuple[Text, Text],
    BeforeValidator(_header),
    PlainSerializer(_header_json),
    WithJsonSchema(
        {
            "type": "object",
            "required": ["name", "value"],
            "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
        }
    ),
]


@dataclass(slots=True, kw_only=True)
class RequestForm:
    """An HTTP request."""

    time: Time
    method: Text
    url: Text
    headers: Many[Header]
    body: Text
    body_encoding: Encoding
    body_bytes: Count = 0
    status: Number
    registry: bool = False
    blame: Blamed | None

    @classmethod
    def of(cls, r: Request) -> RequestForm:
        """The form of a request."""
        body, encoding = body_json(r.body)
        return cls(
            time=r.time_ns,
            method=r.method,
            url=r.url,
            headers=r.headers,
            body=body,
            body_encoding=encoding,
            body_bytes=r.body_bytes,
            status=r.status,
            registry=r.registry,
            blame=r.blame,
        )

    def value(self) -> Request:
        """The request; its local port is not known any more."""
        return Request(
            time_ns=self.time,
            method=self.method,
            url=self.url,
            headers=self.headers,
            body=_bytes(self.body, self.body_encoding, "body"),
            body_bytes=self.body_bytes,
            status=self.status,
            peer_port=0,
            registry=self.registry,
            blame=self.blame,
        )


@dataclass(slots=True, kw_only=True)
class NetworkForm:
    """All that the gateway recorded."""

    dns: Many[Annotated[DnsRecord, As(DnsForm)]]
    connections: Many[Annotated[Connection, Via(ConnectionForm)]]
    requests: Many[Annotated[Request, Via(RequestForm)]]
    marks: Many[Annotated[DecoyMark, As(MarkForm)]] = ()
    cut: Counts = field(default_factory=dict)

    @classmethod
    def of(cls, n: NetworkLog) -> NetworkForm:
        """The form of a log."""
        return cls(dns=n.dns, connections=n.connections, requests=n.requests, marks=n.marks, cut=dict(n.cut))

    def value(self, sent: Sequence[CanaryHit]) -> NetworkLog:
        """The log; ``sent`` are the hits, which the form keeps elsewhere."""
        return NetworkLog(self.dns, self.connections, self.requests, tuple(sent), self.marks, self.cut)
