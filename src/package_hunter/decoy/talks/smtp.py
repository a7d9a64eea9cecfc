"""SMTP and submission (RFC 5321, 4954, 3207, 3030): every sender, login and message is taken.

Not aiosmtpd's, which begins TLS itself and gathers a message before it is seen.
"""

from __future__ import annotations

from package_hunter.decoy.talks.base import Guest, Table
from package_hunter.decoy.talks.sasl import Login
from package_hunter.decoy.talks.turns import Turn, converse

_SIZE = 52_428_800  # announced; more is heard all the same
_OK = b"250 2.0.0 Ok\r\n"
_FIXED = {
    b"NOOP": _OK,
    b"RSET": _OK,
    b"VRFY": b"252 2.0.0 Cannot VRFY user\r\n",
    b"EXPN": b"502 5.5.1 Error: command not implemented\r\n",
    b"HELP": b"214 2.0.0 See RFC 5321\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
}


class SmtpMachine:
    """One client's session."""

    def __init__(self, guest: Guest) -> None:
        self._host = (guest.name or "mail").encode("ascii", "replace")
        self._tls = guest.tls
        self._login: Login | None = None
        self._last = True  # the chunk that is awaited ends the message

    def greeting(self) -> bytes:
        return b"220 %b ESMTP Postfix (Debian/GNU)\r\n" % self._host

    def too_long(self) -> bytes:
        return b"500 5.5.2 Error: line too long\r\n"

    def taken(self) -> Turn:
        if self._last:
            return Turn(b"250 2.0.0 Ok: queued as 4F1C02A3B7\r\n")
        return Turn(_OK)

    def line(self, line: bytes) -> Turn:
        if self._login:
            return self._answered(line.strip())
        word, _, rest = line.strip().partition(b" ")
        word = word.upper()
        if word in (b"EHLO", b"HELO"):
            return Turn(self._hello(word))
        if word == b"STARTTLS":
            return self._secured()
        if word == b"AUTH":
            return self._auth(rest)
        if word == b"DATA":
            self._last = True
            return Turn(b"354 End data with <CR><LF>.<CR><LF>\r\n", "dotted")
        if word == b"BDAT":
            return self._chunk(rest)
        if word == b"QUIT":
            return Turn(b"221 2.0.0 Bye\r\n", "close")
        return Turn(_FIXED.get(word, b"502 5.5.2 Error: command not recognized\r\n"))

    def _hello(self, word: bytes) -> bytes:
        if word == b"HELO":
            return b"250 %b\r\n" % self._host
        offers = [self._host, b"PIPELINING", b"SIZE %d" % _SIZE, *([] if self._tls else [b"STARTTLS"])]
        offers += [b"AUTH PLAIN LOGIN XOAUTH2", b"ENHANCEDSTATUSCODES", b"8BITMIME", b"DSN", b"SMTPUTF8"]
        return b"".join(b"250-%b\r\n" % offer for offer in offers) + b"250 CHUNKING\r\n"

    def _secured(self) -> Turn:
        if self._tls:
            return Turn(b"503 5.5.1 Error: TLS already active\r\n")
        self._tls = True
        return Turn(b"220 2.0.0 Ready to start TLS\r\n", "secure")

    def _auth(self, rest: bytes) -> Turn:
        name, _, first = rest.strip().partition(b" ")
        self._login = Login.by(name)
        if self._login is None:
            return Turn(b"504 5.5.4 Unrecognized authentication type\r\n")
        return self._answered(first) if first else self._ask(b"")

    def _ask(self, heard: bytes) -> Turn:
        assert self._login
        return Turn(b"334 %b\r\n" % self._login.challenge(), heard=heard)

    def _answered(self, text: bytes) -> Turn:
        login, self._login = self._login, None
        assert login
        if not login.answer(text):
            return Turn(b"501 5.5.2 Authentication aborted\r\n")
        if login.done:
            return Turn(b"235 2.7.0 Authentication successful\r\n", heard=login.heard)
        self._login = login
        return self._ask(login.heard)

    def _chunk(self, rest: bytes) -> Turn:
        size, _, last = rest.strip().partition(b" ")
        if not size.isdigit() or len(size) > 12:
            return Turn(b"501 5.5.4 Syntax: BDAT count [LAST]\r\n", "close")
        self._last = last.strip().upper() == b"LAST"
        return Turn(b"", "counted", int(size))


async def play(table: Table) -> None:
    """The server's side of a connection that speaks SMTP."""
    await converse(table, SmtpMachine(table.guest))
