from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.decoy.talks.smb import play
from package_hunter.decoy.talks.smb_login import answered
from package_hunter.decoy.talks.smb_session import SmbSession
from tests.support.requires import needs_program
from tests.support.talk_table import said_to, served

_NEGOTIATE, _CREATE, _CLOSE, _WRITE, _LIST, _ABOUT = 0, 5, 6, 9, 14, 16
_LAST = b"\xff" * 16


def framed(message: bytes, size: int | None = None) -> bytes:
    return (len(message) if size is None else size).to_bytes(4, "big") + message


def message(command: int, body: bytes, after: int = 0, flags: int = 0) -> bytes:
    head = (b"\xfeSMB", 64, 1, 0, command, 1, flags, after, 7, 0, 1, 1, bytes(16))
    return struct.pack("<4sHHIHHIIQIIQ16s", *head) + body


def create(name: str, disposition: int = 5, options: int = 0) -> bytes:
    text = name.encode("utf-16-le")
    head = struct.pack(
        "<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 0, 0, 7, disposition, options, 120, len(text), 0, 0
    )
    return message(_CREATE, head + text)


def write(number: bytes, data: bytes, size: int | None = None) -> bytes:
    told = len(data) if size is None else size
    return message(_WRITE, struct.pack("<HHIQ", 49, 112, told, 0) + number + bytes(16) + data)


def status(reply: bytes) -> int:
    return int.from_bytes(reply[8:12], "little")


@pytest.mark.parametrize("dialect", ["SMB2_02", "SMB2_10", "SMB3_00", "SMB3_11"])
@pytest.mark.parametrize("login", [["-U", "ada%pass"], ["-N"]])
def test_a_stock_client_logs_in_and_puts_a_file(tmp_path: Path, dialect: str, login: list[str]) -> None:
    needs_program("smbclient")
    (tmp_path / "loot").write_bytes(b"x" * 100_000 + b"the end")
    with served(play, tmp_path) as server:
        words = ["smbclient", "//127.0.0.1/c$", "-p", str(server.port), *login, "-m", dialect]
        words += [f"--option=client min protocol={dialect}", "-c", "ls; mkdir in; cd in; put loot; ls"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "blocks available" in done.stdout
    assert b"the end" in server.heard and b"\\\\127.0.0.1\\c$" in server.heard
    assert (b"\nada\n" in server.heard) == (login[0] == "-U")


def test_an_old_clients_first_words_lead_to_smb_2(tmp_path: Path) -> None:
    needs_program("smbclient")
    (tmp_path / "loot").write_text("loot")
    with served(play, tmp_path) as server:
        words = ["smbclient", "//127.0.0.1/a", "-p", str(server.port), "-N", "-c", "put loot"]
        words.append("--option=client min protocol=NT1")
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_in_pieces_is_heard_in_one() -> None:
    heard = bytearray()
    session = SmbSession("files.example", heard.extend)
    (made,) = session.replies(create("a"))
    number = made[64 + 64 : 64 + 80]
    for piece in (b"first half, ", b"second half"):
        (reply,) = session.replies(write(number, piece))
        assert status(reply) == 0
    assert bytes(heard) == b"afirst half, second half"


def test_related_messages_are_about_the_file_that_the_first_made() -> None:
    session = SmbSession("files.example", lambda data: None)
    first = create("a") + bytes(-len(create("a")) % 8)
    close = message(_CLOSE, struct.pack("<HHI", 24, 0, 0) + _LAST, flags=4)
    replies = list(session.replies(first[:20] + len(first).to_bytes(4, "little") + first[24:] + close))
    assert [status(reply) for reply in replies] == [0, 0]
    assert status(next(session.replies(close))) != 0


def test_a_file_that_was_not_put_is_not_there() -> None:
    session = SmbSession("files.example", lambda data: None)
    assert status(next(session.replies(create("a", 1)))) == 0xC0000034
    assert status(next(session.replies(create("A")))) == 0
    assert status(next(session.replies(create("a", 1)))) == 0


@pytest.mark.parametrize("size", [0, 3, 63, 0xFFFFFF])
def test_a_lie_about_a_length_is_not_believed(size: int) -> None:
    assert said_to(play, framed(create("a"), size)) == b""


def test_a_lie_about_what_is_written_is_an_error() -> None:
    session = SmbSession("files.example", lambda data: None)
    (made,) = session.replies(create("a"))
    assert status(next(session.replies(write(made[128:144], b"x", 1 << 30)))) == 0xC000000D


def test_what_is_no_smb_2_ends_the_connection() -> None:
    for said in (
        b"\xffSMB\x72" + bytes(27) + b"\x02NT LM 0.12\0",
        b"\xfdSMB" + bytes(60),
        b"GET / HTTP/1.1\r\n",
    ):
        assert said_to(play, framed(said) + framed(create("a"))) == b""


def test_a_flood_of_files_is_forgotten_again() -> None:
    session = SmbSession("files.example", lambda data: None)
    numbers = [next(session.replies(create(f"f{number}")))[128:144] for number in range(2_000)]
    (old,), (new,) = (session.replies(write(number, b"x")) for number in (numbers[0], numbers[-1]))
    assert (status(old), status(new)) == (0xC0000128, 0)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=150), st.integers(0, 20), st.integers(0, 300))
def test_no_bytes_break_it(data: bytes, command: int, after: int) -> None:
    session = SmbSession("files.example", lambda data: None)
    next(session.replies(create("a")))
    for said in (
        data,
        b"\xffSMB" + data,
        message(command, data, after) + message(command, data),
        message(1, data),
    ):
        try:
            for reply in session.replies(said):
                assert reply == b"" or reply[:4] == b"\xfeSMB"
        except ValueError:
            pass
    said_to(play, framed(message(command, data), after) + data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 4), st.text(max_size=20))
def test_no_token_breaks_the_login(data: bytes, kind: int, name: str) -> None:
    said, done, of_itself = answered(b"NTLMSSP\0" + kind.to_bytes(4, "little") + data, name)
    assert isinstance(said, bytes) and done == (kind == 3)
    assert of_itself == b"" or done
    assert answered(data, name)[1] is (b"NTLMSSP\0\3\0\0\0" in data)
