"""A real SMTP server (aiosmtpd) on loopback that keeps what it is given."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.support.service_harness import free_port


@dataclass
class MailBox:
    """What came in: sender, recipients and mail of each; ``refuse`` are recipients that are not taken."""

    port: int = 0
    got: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """See aiosmtpd."""
        if address in self.refuse:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """See aiosmtpd."""
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.got.append((envelope.mail_from, list(envelope.rcpt_tos), mail))
        return "250 OK"

    def login(self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        """See aiosmtpd."""
        self.logins.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == (b"hunter", b"s3cret"), handled=False)


@contextmanager
def mail_box(context: ssl.SSLContext | None = None, login: bool = False) -> Iterator[MailBox]:
    """A server; with a TLS context it insists on STARTTLS, with ``login`` on name and password."""
    box = MailBox()
    more: dict[str, Any] = {"require_starttls": True, "tls_context": context} if context else {}
    if login:
        more |= {"authenticator": box.login, "auth_required": True}
    box.port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    server.start()
    try:
        yield box
    finally:
        server.stop()
