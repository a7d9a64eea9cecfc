"""Mail, by the SMTP server that whoever runs this server has set (PACKAGE_HUNTER_SMTP_*)."""

from __future__ import annotations

import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Literal

from pydantic import Field

from package_hunter.notices.addresses import Mail, check_mail
from package_hunter.notices.kinds.base import DestinationSettings, NotDeliveredError, Tools
from package_hunter.notices.wording import Message, footer, plain_text, sentences, title


class MailTo(DestinationSettings):
    """People, or a list."""

    kind: Literal["mail"] = "mail"
    to: list[Mail] = Field(min_length=1, max_length=50)

    def shown(self) -> str:
        """See DestinationSettings."""
        return ", ".join(self.to)


def compose(message: Message, to: MailTo, sender: str) -> EmailMessage:
    """The mail. Whatever the texts hold, headers have one line: `harmless` leaves no control character, and the policy
    refuses any."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Package Hunter", addr_spec=check_mail(sender))
    mail["To"] = [Address(addr_spec=address) for address in to.to]
    mail["Subject"] = title(message)
    mail["Date"] = format_datetime(message.time)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
    mail.set_content(plain_text(message) + "\n")
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _html(message: Message) -> str:
    rows = "".join(
        f'<p style="margin:0 0 .7em"><b>{escape(label)}:</b> {escape(text)}</p>'
        for label, text in sentences(message)
    )
    head = f'<h2 style="font-size:1.1em">{escape(title(message))}</h2>'
    foot = f'<p style="color:#666;font-size:.85em">{escape(footer(message))}</p>'
    return f'<!doctype html><body style="font-family:sans-serif">{head}{rows}{foot}</body>'


def send(message: Message, to: MailTo, tools: Tools) -> None:
    """See Sender."""
    if tools.mail is None:
        raise NotDeliveredError(
            "This server sends no mail: PACKAGE_HUNTER_SMTP_URL and PACKAGE_HUNTER_MAIL_FROM are unset."
        )
    mail = compose(message, to, tools.mail.sender)
    try:
        with tools.mail.connected() as server:
            refused = server.send_message(mail)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotDeliveredError(f"The mail server did not take it ({_words(error)}).") from error
    if refused:
        raise NotDeliveredError(f"The mail server refused {len(refused)} of {len(to.to)} addresses.")


def _words(error: Exception) -> str:
    """What failed; the server's own text would be as long as it likes."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, code {error.smtp_code}"
    return type(error).__name__
