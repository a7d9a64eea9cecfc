"""Mail, through a real SMTP server."""

from __future__ import annotations

import pytest

from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.mail import MailTo, compose, send
from package_hunter.notices.smtp import MailServer
from tests.support.mail_server import mail_box
from tests.support.receivers import hostile_message, message, tools

TO = MailTo(to=["security@example.org", "ana@example.org"])


def test_it_arrives() -> None:
    with mail_box() as box:
        server = MailServer("smtp+plain", "127.0.0.1", box.port, "hunter@example.net")
        send(message(), TO, tools(server))
    ((sender, recipients, mail),) = box.got
    assert (sender, recipients) == ("hunter@example.net", ["security@example.org", "ana@example.org"])
    assert mail["Subject"] == "Package Hunter: Proof of malice in web/shop"
    assert mail["From"] == "Package Hunter <hunter@example.net>"
    assert mail["Message-ID"] == "<msg_0123456789abcdef@example.net>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "What to do: Do not install it; rotate npm tokens." in text.get_content()


def test_hostile_text_adds_no_header_recipient_or_markup() -> None:
    with mail_box() as box:
        send(hostile_message(), TO, tools(MailServer("smtp+plain", "127.0.0.1", box.port, "h@example.net")))
    ((_, recipients, mail),) = box.got
    assert recipients == TO.to
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
        *(["X-Peer", "X-MailFrom", "X-RcptTo"] if "X-Peer" in mail else []),
    }
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "\u202e" not in text.get_content() + html.get_content()
    assert "<script" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()
    assert "https://evil" not in text.get_content() + html.get_content()


def test_a_place_with_signs_in_its_path_stays_one_line() -> None:
    mail = compose(hostile_message(), TO, "h@example.net")
    assert "\n" not in str(mail["Subject"])


def test_who_is_refused_is_told() -> None:
    with mail_box() as box:
        box.refuse = {"ana@example.org"}
        server = MailServer("smtp+plain", "127.0.0.1", box.port, "h@example.net")
        with pytest.raises(NotDeliveredError, match="refused 1 of 2"):
            send(message(), TO, tools(server))
        box.refuse = set(TO.to)
        with pytest.raises(NotDeliveredError, match="SMTPRecipientsRefused"):
            send(message(), TO, tools(server))


def test_without_a_mail_server_it_waits() -> None:
    with pytest.raises(NotDeliveredError, match="PACKAGE_HUNTER_SMTP_URL"):
        send(message(), TO, tools())


@pytest.mark.parametrize("to", [[], ["a@b\nBcc: c@d"], ["a@b.example"] * 51, ["nobody"]])
def test_what_are_no_recipients(to: list[str]) -> None:
    with pytest.raises(ValueError, match="to"):
        MailTo(to=to)
