"""The mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.decoy.tls import Certificates, make_ca
from package_hunter.errors import UsageError
from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.mail import MailTo, send
from package_hunter.notices.smtp import MailServer, mail_server
from tests.support.mail_server import mail_box
from tests.support.receivers import message, tools

TO = MailTo(to=["security@example.org"])


def _set(tmp_path: Path, url: str, **more: object) -> MailServer | None:
    return mail_server(Settings(data_dir=tmp_path, smtp_url=url, mail_from="h@example.net", **more))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://mail.example", ("smtp", "mail.example", 587, None)),
        ("smtps://mail.example", ("smtps", "mail.example", 465, None)),
        ("smtp+plain://mail.example:2525", ("smtp+plain", "mail.example", 2525, None)),
        ("smtp://h%40x:p%2Fw@mail.example", ("smtp", "mail.example", 587, ("h@x", "p/w"))),
    ],
)
def test_settings(tmp_path: Path, url: str, wanted: tuple[object, ...]) -> None:
    made = _set(tmp_path, url)
    assert made is not None
    assert (made.scheme, made.host, made.port, made.login) == wanted


def test_the_password_can_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    made = _set(tmp_path, "smtp://hunter@mail.example", smtp_password_file=file)
    assert made is not None
    assert made.login == ("hunter", "s3cret")
    with pytest.raises(UsageError, match="PASSWORD_FILE"):
        _set(tmp_path, "smtp://hunter@mail.example", smtp_password_file=tmp_path / "missing")


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://m:x", "smtp://m/x", "smtp://m?x"]
)
def test_what_is_no_mail_server(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="SMTP_URL"):
        _set(tmp_path, url)


def test_none_is_set(tmp_path: Path) -> None:
    assert mail_server(Settings(data_dir=tmp_path)) is None


def _contexts(folder: Path) -> tuple[ssl.SSLContext, Path]:
    cert, key = make_ca()
    ca = folder / "ca.pem"
    ca.write_bytes(cert)
    context = Certificates(cert, key, folder, lambda _: False).context("localhost")
    context.sni_callback = None
    return context, ca


def test_encrypted_and_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, ca = _contexts(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    with mail_box(context, login=True) as box:
        send(
            message(),
            TO,
            tools(MailServer("smtp", "localhost", box.port, "h@example.net", ("hunter", "s3cret"))),
        )
        assert (len(box.got), box.logins) == (1, [(b"hunter", b"s3cret")])
        with pytest.raises(NotDeliveredError, match="SMTPAuthenticationError, code 535"):
            send(
                message(),
                TO,
                tools(MailServer("smtp", "localhost", box.port, "h@example.net", ("hunter", "no"))),
            )


def test_who_offers_no_encryption_is_told_nothing(tmp_path: Path) -> None:
    with mail_box() as box:
        server = MailServer("smtp", "127.0.0.1", box.port, "h@example.net", ("hunter", "s3cret"))
        with pytest.raises(smtplib.SMTPNotSupportedError):
            server.connected()
    assert box.logins == []


def test_a_certificate_that_nobody_vouches_for_is_none(tmp_path: Path) -> None:
    context, _ = _contexts(tmp_path)
    with mail_box(context) as box, pytest.raises(NotDeliveredError, match="SSLCertVerificationError"):
        send(message(), TO, tools(MailServer("smtp", "localhost", box.port, "h@example.net")))
