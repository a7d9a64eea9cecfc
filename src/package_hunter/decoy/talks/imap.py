"""IMAP (RFC 3501, 4959, 7888): every login is taken, a mailbox with a few mails takes more.

Literals (``{17}``) are heard and dropped: the session needs the words before them only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from package_hunter.decoy.talks.base import Guest, Table
from package_hunter.decoy.talks.mailbox import MAILS, Mail
from package_hunter.decoy.talks.sasl import MECHANISMS, Login
from package_hunter.decoy.talks.turns import LINE_BYTES, Turn, converse

_LITERAL = re.compile(rb"\{(\d{1,12})(\+|-)?\}$")
_TAG = re.compile(rb"[!-'*-z|}~]{1,64}")  # an astring's characters, roughly
_FOLDERS = (b"INBOX", b"Drafts", b"Sent", b"Trash")
_FLAGS = rb"(\Answered \Flagged \Deleted \Seen \Draft)"


class ImapMachine:
    """One client's session."""

    def __init__(self, guest: Guest) -> None:
        self._tls = guest.tls
        self._command = b""  # the words of a command so far, its literals left out
        self._tag = b"*"
        self._login: Login | None = None
        self._idle = False

    def greeting(self) -> bytes:
        return b"* OK [%b] Dovecot (Debian) ready.\r\n" % self._offers()

    def too_long(self) -> bytes:
        return b"* BYE Command line too long.\r\n"

    def taken(self) -> Turn:
        return Turn()  # the rest of the command's line comes next

    def line(self, line: bytes) -> Turn:
        if self._login:
            return self._answered(line.strip())
        if self._idle:
            self._idle = False
            return Turn(self._tag + b" OK Idle completed.\r\n")
        if len(self._command) + len(line) > LINE_BYTES:
            return Turn(self.too_long(), "close")
        if literal := _LITERAL.search(line):
            self._command += line[: literal.start()] + b'""'
            return Turn(b"" if literal[2] else b"+ OK\r\n", "counted", int(literal[1]))
        command, self._command = self._command + line, b""
        tag, _, rest = command.strip().partition(b" ")
        if not _TAG.fullmatch(tag):
            return Turn(b"* BAD Error in IMAP command: invalid tag.\r\n")
        self._tag = tag
        return self._obey(rest.strip())

    def _obey(self, rest: bytes) -> Turn:
        word, _, words = rest.partition(b" ")
        word = word.upper()
        uid = word == b"UID"
        if uid:
            word, _, words = words.partition(b" ")
            word = word.upper()
        if word == b"STARTTLS" and not self._tls:
            self._tls = True
            return Turn(self._tag + b" OK Begin TLS negotiation now.\r\n", "secure")
        if word == b"AUTHENTICATE":
            return self._authenticate(words)
        if word == b"LOGOUT":
            return Turn(b"* BYE Logging out\r\n%b OK Logout completed.\r\n" % self._tag, "close")
        if word == b"IDLE":
            self._idle = True
            return Turn(b"+ idling\r\n")
        if not word.isalpha():
            return Turn(self._tag + b" BAD Error in IMAP command.\r\n")
        said = b"".join(self._untagged(word, words, uid))
        return Turn(b"%b%b OK %b completed.\r\n" % (said, self._tag, word.capitalize()))

    def _offers(self) -> bytes:
        more = b"" if self._tls else b" STARTTLS"
        ways = b" ".join(b"AUTH=" + name.encode() for name in MECHANISMS)
        return b"CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE%b %b" % (more, ways)

    def _authenticate(self, words: bytes) -> Turn:
        name, _, first = words.strip().partition(b" ")
        self._login = Login.by(name)
        if self._login is None:
            return Turn(self._tag + b" NO Unsupported authentication mechanism.\r\n")
        return self._answered(first) if first else Turn(b"+ %b\r\n" % self._login.challenge())

    def _answered(self, text: bytes) -> Turn:
        login, self._login = self._login, None
        assert login
        if not login.answer(text):
            return Turn(self._tag + b" BAD Authentication aborted by client.\r\n")
        if login.done:
            return Turn(self._tag + b" OK Logged in\r\n", heard=login.heard)
        self._login = login
        return Turn(b"+ %b\r\n" % login.challenge(), heard=login.heard)

    def _untagged(self, word: bytes, words: bytes, uid: bool) -> Iterator[bytes]:
        """What is told before the line that ends a command."""
        if word == b"CAPABILITY":
            yield b"* %b\r\n" % self._offers()
        elif word == b"ID":
            yield b'* ID ("name" "Dovecot")\r\n'
        elif word == b"NAMESPACE":
            yield b'* NAMESPACE (("" "/")) NIL NIL\r\n'
        elif word in (b"LIST", b"LSUB"):
            for folder in _FOLDERS:
                yield rb'* %b (\HasNoChildren) "/" "%b"' % (word, folder) + b"\r\n"
        elif word in (b"SELECT", b"EXAMINE"):
            yield b"* FLAGS %b\r\n* %d EXISTS\r\n* 0 RECENT\r\n" % (_FLAGS, len(MAILS))
            yield b"* OK [UIDVALIDITY 1741000000] UIDs valid\r\n* OK [UIDNEXT %d] Next\r\n" % (len(MAILS) + 1)
        elif word == b"STATUS":
            counts = b"(MESSAGES %d RECENT 0 UIDNEXT %d UIDVALIDITY 1741000000 UNSEEN 0)"
            yield b"* STATUS INBOX " + counts % (len(MAILS), len(MAILS) + 1) + b"\r\n"
        elif word == b"SEARCH":
            yield b"* SEARCH %b\r\n" % b" ".join(b"%d" % mail.number for mail in MAILS)
        elif word == b"FETCH":
            asked, _, items = words.partition(b" ")
            for mail in _chosen(asked):
                yield _fetched(mail, items.upper(), uid)


def _chosen(asked: bytes) -> list[Mail]:
    """The mails of a sequence set (``1``, ``2:*``, ``1,3``)."""
    chosen: set[int] = set()
    for part in asked.split(b",", 64)[:64]:
        ends = [_number(end) for end in part.split(b":", 1)]
        chosen.update(mail.number for mail in MAILS if min(ends) <= mail.number <= max(ends))
    return [mail for mail in MAILS if mail.number in chosen]


def _number(text: bytes) -> int:
    if text == b"*":
        return len(MAILS)
    return int(text) if text.isdigit() and len(text) < 11 else 0


def _fetched(mail: Mail, items: bytes, uid: bool) -> bytes:
    head, gap, _ = mail.text.partition(b"\r\n\r\n")
    parts = [rb"FLAGS (\Seen)"]
    if uid or b"UID" in items:
        parts.append(b"UID %d" % mail.number)
    if b"RFC822.SIZE" in items or b"ALL" in items:
        parts.append(b"RFC822.SIZE %d" % len(mail.text))
    if b"INTERNALDATE" in items or b"ALL" in items:
        parts.append(b'INTERNALDATE "%b"' % mail.date.encode())
    if b"HEADER" in items:
        name = b"RFC822.HEADER" if b"RFC822.HEADER" in items else b"BODY[HEADER]"
        parts.append(b"%b {%d}\r\n%b" % (name, len(head + gap), head + gap))
    elif b"BODY" in items or re.search(rb"RFC822(?!\.SIZE)", items):
        name = b"BODY[]" if b"BODY" in items else b"RFC822"
        parts.append(b"%b {%d}\r\n%b" % (name, len(mail.text), mail.text))
    return b"* %d FETCH (%b)\r\n" % (mail.number, b" ".join(parts))


async def play(table: Table) -> None:
    """The server's side of a connection that speaks IMAP."""
    await converse(table, ImapMachine(table.guest))
