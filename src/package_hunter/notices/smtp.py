"""The mail server that whoever runs this server has set. It may stand anywhere: only users' places are guarded."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.notices.addresses import check_mail

_SECONDS = 20.0
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_ADVICE = "Give smtp://HOST:587 (STARTTLS), smtps://HOST:465, or smtp+plain://HOST:25 for no encryption."


@dataclass(frozen=True, slots=True)
class MailServer:
    """``scheme`` is one of ``smtp`` (STARTTLS is insisted on), ``smtps`` and ``smtp+plain``; ``sender`` is the address
    that mail comes from."""

    scheme: str
    host: str
    port: int
    sender: str
    login: tuple[str, str] | None = None

    def connected(self) -> smtplib.SMTP:
        """A connection, encrypted and logged in as it was set; SMTPException, OSError."""
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            if self.scheme == "smtp":
                server.starttls(context=context)
            if self.login is not None:
                server.login(*self.login)
        except BaseException:
            server.close()
            raise
        return server


def mail_server(settings: Settings) -> MailServer | None:
    """As the settings say, None where they name none; UsageError."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    try:
        parts = urlsplit(settings.smtp_url)
        port = parts.port or _PORTS[parts.scheme]
        sender = check_mail(settings.mail_from)
    except (ValueError, KeyError) as error:
        raise UsageError(
            "PACKAGE_HUNTER_SMTP_URL is no mail server, or PACKAGE_HUNTER_MAIL_FROM no address.", _ADVICE
        ) from error
    if not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise UsageError("PACKAGE_HUNTER_SMTP_URL is no address of a mail server.", _ADVICE)
    login = _login(settings, parts.username, parts.password)
    return MailServer(parts.scheme, parts.hostname, port, sender, login)


def _login(settings: Settings, name: str | None, password: str | None) -> tuple[str, str] | None:
    if not name:
        return None
    if settings.smtp_password_file is None:
        return unquote(name), unquote(password or "")
    try:
        secret = settings.smtp_password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"PACKAGE_HUNTER_SMTP_PASSWORD_FILE cannot be read ({type(error).__name__}).",
            "Whoever starts the server must be able to read it.",
        ) from error
    return unquote(name), secret
