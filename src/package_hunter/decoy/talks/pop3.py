"""POP3 (RFC 1939, 2449, 2595, 5034): every login is taken, a few mails are there to be read."""

from __future__ import annotations

from package_hunter.decoy.talks.base import Guest, Table
from package_hunter.decoy.talks.mailbox import MAILS, Mail
from package_hunter.decoy.talks.sasl import MECHANISMS, Login
from package_hunter.decoy.talks.turns import Turn, converse

_OFFERS = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL " + " ".join(MECHANISMS))
_NONE = b"-ERR There's no such message\r\n"


class Pop3Machine:
    """One client's session."""

    def __init__(self, guest: Guest) -> None:
        self._tls = guest.tls
        self._login: Login | None = None

    def greeting(self) -> bytes:
        return b"+OK Dovecot ready.\r\n"

    def too_long(self) -> bytes:
        return b"-ERR Line too long\r\n"

    def taken(self) -> Turn:
        return Turn()

    def line(self, line: bytes) -> Turn:
        if self._login:
            return self._answered(line.strip())
        word, _, rest = line.strip().partition(b" ")
        word = word.upper()
        if word == b"CAPA":
            return Turn(self._offers())
        if word == b"STLS" and not self._tls:
            self._tls = True
            return Turn(b"+OK Begin TLS negotiation now.\r\n", "secure")
        if word == b"AUTH":
            return self._auth(rest)
        if word == b"QUIT":
            return Turn(b"+OK Logging out.\r\n", "close")
        return Turn(_mails(word, rest))

    def _offers(self) -> bytes:
        offers = (*_OFFERS, *(() if self._tls else ("STLS",)))
        return b"+OK\r\n" + b"".join(offer.encode() + b"\r\n" for offer in offers) + b".\r\n"

    def _auth(self, rest: bytes) -> Turn:
        name, _, first = rest.strip().partition(b" ")
        self._login = Login.by(name)
        if self._login is None:
            return Turn(b"-ERR Unsupported authentication mechanism.\r\n")
        return self._answered(first) if first else Turn(b"+ %b\r\n" % self._login.challenge())

    def _answered(self, text: bytes) -> Turn:
        login, self._login = self._login, None
        assert login
        if not login.answer(text):
            return Turn(b"-ERR Authentication aborted\r\n")
        if login.done:
            return Turn(b"+OK Logged in.\r\n", heard=login.heard)
        self._login = login
        return Turn(b"+ %b\r\n" % login.challenge(), heard=login.heard)


def _mails(word: bytes, rest: bytes) -> bytes:
    """Commands that need no state."""
    if word == b"STAT":
        return b"+OK %d %d\r\n" % (len(MAILS), sum(len(mail.text) for mail in MAILS))
    if word == b"LIST":
        return _listed(rest, {mail.number: b"%d" % len(mail.text) for mail in MAILS})
    if word == b"UIDL":
        return _listed(rest, {mail.number: b"%016x" % (0x67C5 + mail.number) for mail in MAILS})
    if word in (b"RETR", b"TOP"):
        mail = _numbered(rest.partition(b" ")[0])
        return b"+OK %d octets\r\n%b.\r\n" % (len(mail.text), mail.text) if mail else _NONE
    if word in (b"USER", b"PASS", b"APOP", b"NOOP", b"RSET", b"DELE", b"LANG", b"UTF8"):
        return b"+OK\r\n"
    return b"-ERR Unknown command.\r\n"


def _numbered(text: bytes) -> Mail | None:
    number = int(text) if text.isdigit() and len(text) < 6 else 0
    return next((mail for mail in MAILS if mail.number == number), None)


def _listed(rest: bytes, facts: dict[int, bytes]) -> bytes:
    if rest:
        mail = _numbered(rest.strip())
        return b"+OK %d %b\r\n" % (mail.number, facts[mail.number]) if mail else _NONE
    lines = b"".join(b"%d %b\r\n" % fact for fact in facts.items())
    return b"+OK %d messages:\r\n%b.\r\n" % (len(facts), lines)


async def play(table: Table) -> None:
    """The server's side of a connection that speaks POP3."""
    await converse(table, Pop3Machine(table.guest))
