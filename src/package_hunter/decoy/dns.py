"""Every DNS question gets a plausible answer that never left the host."""

# mypy: disallow-untyped-calls=False
# (dnslib has no types)

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from dnslib import AAAA, CNAME, MX, NS, PTR, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSError, DNSRecord

from package_hunter.decoy.existence import Existence
from package_hunter.decoy.names import Names
from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.model.observation import DnsRecord

_TTL = 300
_MONGODB = "_mongodb"
_MAX_CLUSTERS = 1_000
_PORTS = {
    _MONGODB: 27017, "_xmpp-client": 5222, "_xmpp-server": 5269, "_sip": 5060, "_sips": 5061, "_ldap": 389,
    "_imap": 143, "_imaps": 993, "_pop3s": 995, "_submission": 587, "_submissions": 465, "_mqtt": 1883,
    "_secure-mqtt": 8883, "_stun": 3478, "_kerberos": 88, "_matrix": 8448,
}  # fmt: skip
_ONE_OPT = (b"\0\0", b"\0\x01")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xff]")


def printable(name: str) -> str:
    """``name`` in lower case without its last dot; bytes that could break a line or terminal as ``\\DDD``."""
    return _CONTROL.sub(lambda m: f"\\{ord(m[0]):03d}", name.rstrip(".").lower())


def is_plain_question(data: bytes) -> bool:
    """Whether it is one DNS question and nothing that could carry more: at most an empty OPT record behind it, or
    one with a client's cookie of eight bytes (RFC 7873), no bytes left over."""
    if len(data) < 17 or data[2] & 0xF8 or data[4:10] != b"\0\x01\0\0\0\0" or data[10:12] not in _ONE_OPT:
        return False
    at = 12
    while at < len(data) and data[at]:
        if data[at] > 63:
            return False
        at += 1 + data[at]
    rest = data[at + 5 :]
    if not data[at : at + 1] or len(data) < at + 5:
        return False
    if not data[11]:
        return not rest
    empty = len(rest) == 11 and rest[9:] == b"\0\0"
    cookie = len(rest) == 23 and rest[9:15] == b"\0\x0c\0\x0a\0\x08"
    return rest[:3] == b"\0\0\x29" and (empty or cookie)


class DnsServer:
    """Answers one question at a time; ``heard`` sees each name for the canary search, also one that does not
    exist."""

    def __init__(
        self,
        names: Names,
        record: NetworkRecorder,
        heard: Callable[[str, int], None],
        existence: Existence,
    ) -> None:
        self._names = names
        self._existence = existence
        self._record = record
        self._heard = heard
        self._clusters: set[str] = set()  # names of MongoDB's that are looked up as services

    def answer(self, query: bytes, peer_port: int, datagram: bool = True) -> bytes | None:
        """The answer's bytes, or None where the query is too broken to have an id."""
        try:
            request = DNSRecord.parse(query)
        except (DNSError, ValueError, IndexError, UnicodeError, OverflowError):
            self._record.count_cut("malformed_dns")
            if len(query) < 12:
                return None
            return query[:2] + b"\x81\x81" + b"\0" * 8  # FORMERR, no question
        if request.header.qr or not request.questions:
            self._record.count_cut("malformed_dns")
            return None
        reply = request.reply(ra=1, aa=0)
        question = request.questions[0]
        name = printable(str(question.qname))
        kind = str(QTYPE.get(question.qtype, f"TYPE{question.qtype}"))
        said = self._fill(reply, question, name, kind)
        written = self._existence.written(name.rstrip(".").lower())
        self._record("dns", DnsRecord(now(), name, kind, said, peer_port, written=written))
        self._heard(str(question.qname), peer_port)
        packed = bytes(reply.pack())
        if datagram and len(packed) > 1232:
            packed = bytes(reply.truncate().pack())
        return packed

    def _fill(self, reply: DNSRecord, question: object, name: str, kind: str) -> str:
        qname = question.qname  # type: ignore[attr-defined]
        if kind == "PTR":
            return self._pointer(reply, qname, name)
        if not (self._names.has(name) or self._existence.exists(name)):
            reply.header.rcode = RCODE.NXDOMAIN
            return "NXDOMAIN"
        pair = self._names.addresses(name)
        if pair is None:
            reply.header.rcode = RCODE.SERVFAIL
            self._record.count_cut("dns_names")
            return "SERVFAIL"
        base = ".".join(name.split(".")[-2:])
        data = {
            "A": lambda: A(pair[0]),
            "ANY": lambda: A(pair[0]),
            "AAAA": lambda: AAAA(pair[1]),
            "TXT": lambda: None if name in self._clusters else TXT(f"v=spf1 a mx include:_spf.{base} ~all"),
            "MX": lambda: MX(f"mail.{base}", 10),
            "NS": lambda: NS(f"ns1.{base}"),
            "CNAME": lambda: CNAME(f"edge.{base}"),
            "SRV": lambda: self._service(name, base),
            "SOA": lambda: SOA(f"ns1.{base}", f"hostmaster.{base}", (2026010101, 7200, 3600, 1209600, 300)),
        }.get(kind)
        if data is None:
            return ""  # NOERROR without data, as for a name that has no such record
        record = data()
        if record is None:
            return ""
        with contextlib.suppress(DNSError):
            reply.add_answer(
                RR(qname, QTYPE.reverse.get(kind if kind != "ANY" else "A"), rdata=record, ttl=_TTL)
            )
        return str(record)

    def _service(self, name: str, base: str) -> SRV:
        """Where a service of a name is: in the name's own domain (MongoDB's clients take no other), on its own port."""
        service, found, whole = name.partition("._tcp.")
        if not found:
            return SRV(10, 5, 443, f"srv.{base}")
        if service == _MONGODB and len(self._clusters) < _MAX_CLUSTERS:
            self._clusters.add(whole)  # its TXT records would be options of the connection
        parent = whole.partition(".")[2] if whole.count(".") > 1 else whole
        return SRV(10, 5, _PORTS.get(service, 443), f"srv.{parent}")

    def _pointer(self, reply: DNSRecord, qname: object, name: str) -> str:
        address = _reverse(name)
        found = self._names.name(address) if address else None
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
            return "NXDOMAIN"
        reply.add_answer(RR(qname, QTYPE.PTR, rdata=PTR(found), ttl=_TTL))
        return found


def _reverse(name: str) -> str | None:
    if name.endswith(".in-addr.arpa"):
        return ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    return None
