"""Every conversation has a stock client, and the table of docs/decoy.md says what these clients proved."""

from __future__ import annotations

import pytest

from package_hunter.decoy.talks.table import PLAYS, greeted, opened
from tests.integration.decoy.conversations import rows
from tests.integration.decoy.table import PAGE, told

_ROWS = [row for file in rows().values() for row in file]


def test_the_page_has_the_rows_of_the_runs_and_no_other() -> None:
    page = told(PAGE.read_text(encoding="utf-8"))
    assert page == [[row.protocol, row.client, row.tls, row.carries, "yes"] for row in _ROWS]


def test_every_conversation_has_a_client_of_its_own() -> None:
    assert set(PLAYS) - {row.kind for row in _ROWS} == {"echo"}


@pytest.mark.parametrize(
    ("first", "port", "play"),
    [
        (b"\0\0\0\xa4\xfeSMB", 445, "smb"),
        (b"\x81\0\0\x44\x20CKFD", 139, "smb"),
        (b"SSH-2.0-x\r\n", 4444, "ssh"),
        (b"USER me\r\n", 21, "ftp"),
        (b"USER me\r\n", 110, "pop3"),
        (b"USER me\r\n", 6667, None),
    ],
)
def test_first_words_tell_the_conversation(first: bytes, port: int, play: str | None) -> None:
    assert opened(first, port) == play


def test_a_port_whose_server_speaks_first_is_greeted() -> None:
    assert [greeted(port) for port in (22, 25, 3306, 80)] == ["ssh", "smtp", "mysql", None]
