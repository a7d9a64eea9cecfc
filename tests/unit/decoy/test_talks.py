"""Whatever a client sends, the parsers of mail, files and directories answer it or say which error it is."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.talks import ber, ldap
from package_hunter.decoy.talks.base import Guest
from package_hunter.decoy.talks.git_push import Packets, packet, receive_pack
from package_hunter.decoy.talks.imap import ImapMachine
from package_hunter.decoy.talks.packs import PackReader
from package_hunter.decoy.talks.pop3 import Pop3Machine
from package_hunter.decoy.talks.smtp import SmtpMachine
from package_hunter.decoy.talks.ssh_commands import answer_to
from package_hunter.decoy.talks.turns import Machine

GUEST = Guest("mail.evil.example", "198.18.1.1", 25, False)
MACHINES: list[Callable[[Guest], Machine]] = [SmtpMachine, ImapMachine, Pop3Machine]
WORDS = [
    b"AUTH PLAIN",
    b"AUTH LOGIN",
    b"AUTH",
    b"BDAT",
    b"DATA",
    b"EHLO",
    b"STARTTLS",
    b"STLS",
    b"USER",
    b"RETR",
]
WORDS += [
    b"a LOGIN x",
    b"a AUTHENTICATE PLAIN",
    b"a UID FETCH",
    b"a FETCH",
    b"a APPEND INBOX",
    b"a IDLE",
    b"*",
    b"=",
]
TAILS = [
    b" {5}",
    b" {5+}",
    b" {99999999999}",
    b" 1:*",
    b" 9999999999999999999",
    b" AG1lAHB3",
    b" BODY[]",
    b"",
]
lines = st.one_of(
    st.binary(max_size=64).map(lambda data: data.replace(b"\n", b"")),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(TAILS)).map(b"".join),
)


@pytest.mark.parametrize("machine", MACHINES)
@given(st.lists(lines, max_size=12))
def test_a_machine_answers_every_line(machine: Callable[[Guest], Machine], said: list[bytes]) -> None:
    server = machine(GUEST)
    assert server.greeting().endswith(b"\r\n")
    for line in said:
        turn = server.line(line)
        assert turn.say or turn.then == "counted"
        assert turn.say == b"" or turn.say.endswith(b"\r\n")
        assert 0 <= turn.size < 10**12
        if turn.then in ("dotted", "counted"):
            server.taken()


@given(st.binary(max_size=200), st.integers(1, 40))
def test_elements_end_for_any_bytes(data: bytes, most: int) -> None:
    try:
        found = ber.elements(data, most)
    except ValueError:
        return
    assert len(found) <= most
    assert sum(len(one.body) for one in found) <= len(data)


@given(st.integers(1, 250), st.binary(max_size=70_000))
def test_an_element_is_read_as_it_was_written(tag: int, body: bytes) -> None:
    tag = tag if tag & 31 != 31 else tag - 1
    assert ber.elements(ber.element(tag, body)) == [ber.Element(tag, body, len(body))]


@given(st.binary(max_size=120), st.booleans())
def test_a_directory_answers_any_bytes(data: bytes, tls: bool) -> None:
    try:
        said, secure = ldap.answer(ldap.parse(data), tls)
    except ValueError:
        return
    assert not (secure and tls)
    assert said == b"" or said[0] == 0x30


def test_a_message_that_lies_about_its_length_is_none() -> None:
    for lie in (b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x02\x01\x01", b"\x30\x85\0\0\0\0\1", b"\x3f\x01"):
        with pytest.raises(ValueError, match=r"message|length|tag"):
            ldap.parse(lie)


def _pack(*objects: bytes) -> bytes:
    body = b"PACK\0\0\0\2" + len(objects).to_bytes(4, "big")
    for plain in objects:
        size = len(plain)
        head = bytearray((0x30 | size & 15,))
        size >>= 4
        while size:
            head[-1] |= 0x80
            head.append(size & 0x7F)
            size >>= 7
        body += bytes(head) + zlib.compress(plain)
    return body + b"\0" * 20


@given(st.lists(st.binary(max_size=3_000), max_size=5), st.integers(1, 997))
def test_a_pack_gives_what_it_holds_however_it_is_cut(objects: list[bytes], cut: int) -> None:
    data, reader = _pack(*objects), PackReader()
    parts = [data[at : at + cut] for at in range(0, len(data), cut)]
    assert b"".join(plain for part in parts for plain in reader.feed(part)) == b"".join(objects)
    assert reader.done


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_no_pack_or_one(data: bytes, begun: bool) -> None:
    reader = PackReader()
    try:
        for _ in reader.feed((b"PACK\0\0\0\2\0\0\0\3" if begun else b"") + data):
            pass
    except ValueError:
        pass


def test_what_unpacks_to_much_comes_in_pieces() -> None:
    pieces = list(PackReader().feed(_pack(b"\0" * (20 << 20))))
    assert max(map(len, pieces)) <= 64 << 10
    assert sum(map(len, pieces)) == 20 << 20


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, n: int) -> bytes:
        found, self._data = self._data[:n], self._data[n:]
        return found


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.binary(max_size=60), max_size=5).map(lambda x: b"".join(map(packet, x))),
    )
)
def test_a_push_of_any_bytes_ends(data: bytes) -> None:
    async def go() -> None:
        async def say(_: bytes) -> None:
            pass

        try:
            await receive_pack(_Bytes(data), say, lambda _: None)
        except (ValueError, EOFError):
            pass

    asyncio.run(go())


def test_a_line_of_a_push_has_its_length_before_it() -> None:
    async def go() -> None:
        packets = Packets(_Bytes(packet(b"a b c") + b"0000"))
        assert (await packets.next(), await packets.next()) == (b"a b c", b"")
        with pytest.raises(ValueError, match="length"):
            await Packets(_Bytes(b"fffff")).next()

    asyncio.run(go())


@given(st.text(max_size=60))
def test_any_command_has_an_answer(command: str) -> None:
    assert answer_to(command, b"me") is None or isinstance(answer_to(command, b"me"), bytes)
