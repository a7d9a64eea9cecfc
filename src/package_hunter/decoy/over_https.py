"""DNS over HTTPS: messages (RFC 8484) and the JSON of public resolvers, answered as any other question."""

# mypy: disallow-untyped-calls=False
# (dnslib has no types)

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs

from dnslib import QTYPE, DNSError, DNSRecord
from dnslib.buffer import BufferError as DNSBufferError
from dnslib.label import DNSLabelError

from package_hunter.decoy.dns import DnsServer
from package_hunter.decoy.web import Answer, Ask, json_answer

_MESSAGE = "application/dns-message"
_JSON = "application/dns-json"
_QUERY = 64 << 10  # characters of a request's query that are looked at
_PATHS = ("/dns-query", "/resolve")
_NO_QUESTION = (KeyError, ValueError, DNSError, DNSBufferError, DNSLabelError)  # dnslib's have no common kind


class OverHttps:
    """Questions that are requests, by their type or by the path that resolvers have."""

    def __init__(self, dns: DnsServer) -> None:
        self._dns = dns

    def answer(self, ask: Ask) -> Answer | None:
        """The answer, None where the request asks no resolver."""
        if ask.method == "POST" and ask.headers.get("content-type", "").startswith(_MESSAGE):
            return self._message(ask, ask.body)
        if ask.method != "GET" or not ask.path.endswith(_PATHS):
            return None
        words = parse_qs(ask.query[:_QUERY], max_num_fields=64) if ask.query.count("&") < 64 else {}
        if "dns" in words:
            return self._message(ask, _decoded(words["dns"][0]))
        if "name" in words:
            return self._json(ask, words["name"][0], words.get("type", ["A"])[0].upper())
        return None

    def _message(self, ask: Ask, query: bytes) -> Answer:
        packed = self._dns.answer(query, ask.peer.peer_port, datagram=False)
        return Answer(400) if packed is None else Answer(200, packed, type=_MESSAGE)

    def _json(self, ask: Ask, name: str, kind: str) -> Answer:
        try:
            number = int(kind) if kind.isdigit() else QTYPE.reverse[kind]
            query = DNSRecord.question(name, QTYPE.get(number)).pack()
        except _NO_QUESTION:  # a name or type that no question can hold
            return json_answer('{"error":"Invalid query"}', 400)
        packed = self._dns.answer(query, ask.peer.peer_port, datagram=False)
        reply = DNSRecord.parse(packed)
        records = [
            {"name": str(rr.rname), "type": rr.rtype, "TTL": rr.ttl, "data": str(rr.rdata)} for rr in reply.rr
        ]
        asked = {"name": str(reply.q.qname), "type": reply.q.qtype}
        said = {"Status": reply.header.rcode, "TC": False, "RD": True, "RA": True, "AD": False, "CD": False}
        return Answer(200, json.dumps({**said, "Question": [asked], "Answer": records}).encode(), type=_JSON)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"==")
    except ValueError:
        return b""
