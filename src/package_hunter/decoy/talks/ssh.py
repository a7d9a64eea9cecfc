"""SSH by asyncssh: any password and key logs in; commands, their input and uploads are heard.

asyncssh speaks on a socket of its own, so one pair of sockets stands between it and the table. It opens nothing:
no forwarding, no agent, no file (``ssh_files.py``), no program (``ssh_commands.py``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # asyncio's on first use, too late for a confined process
import contextlib
import functools
import os
import socket

import asyncssh

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.ssh_commands import run_command
from package_hunter.decoy.talks.ssh_files import HeardFiles

_PIECE = 64 << 10
_LOGIN_SECONDS = 60
_IDLE_SECONDS = 60.0
_WHOLE_SECONDS = 600.0
_LAST_SECONDS = 1.0  # for the last words
_VERSION = "OpenSSH_9.2p1 Debian-2+deb12u3"


@functools.cache
def _host_key() -> asyncssh.SSHKey:
    """One for all hosts of a scan, so that a second connection finds the key it knows."""
    return asyncssh.generate_private_key("ssh-ed25519")


class _Server(asyncssh.SSHServer):
    """Lets everybody in."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin_auth(self, username: str) -> bool:
        self._hear(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._hear(password)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: object) -> bool:
        for answer in responses if isinstance(responses, list | tuple) else ():
            self._hear(str(answer))
        return True

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> asyncssh.SSHTCPSession[bytes]:
        return _Forwarded(self._table)

    def _hear(self, text: str) -> None:
        self._table.heard(text.encode("utf-8", "replace") + b"\n")


class _Forwarded(asyncssh.SSHTCPSession[bytes]):
    """A connection through the server to somewhere else: heard, never made."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._channel = chan

    def eof_received(self) -> bool:
        if self._channel:
            self._channel.close()
        return False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._table.heard(data)


async def play(table: Table) -> None:
    """The server's side of a connection that speaks SSH."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    serving = asyncio.create_task(_serve(table, theirs))
    ways = [
        asyncio.create_task(_pump(table.reader, writer)),
        asyncio.create_task(_pump(reader, table.writer)),
    ]
    try:
        async with asyncio.timeout(_WHOLE_SECONDS):
            await asyncio.wait([*ways, serving], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(ways, timeout=_LAST_SECONDS)
            if serving.done():
                _judge(serving)
    finally:
        for task in (*ways, serving):
            task.cancel()
        await asyncio.gather(*ways, serving, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _serve(table: Table, sock: socket.socket) -> None:
    os.environ.setdefault("HOME", "/nonexistent")  # asyncssh asks for it, though it reads nothing there
    connection = await asyncssh.run_server(
        sock,
        server_factory=functools.partial(_Server, table),
        server_host_keys=[_host_key()],
        server_version=_VERSION,
        process_factory=functools.partial(run_command, table),
        sftp_factory=functools.partial(HeardFiles, table),
        allow_scp=True,
        encoding=None,
        line_editor=False,
        login_timeout=_LOGIN_SECONDS,
        agent_forwarding=False,
        x11_forwarding=False,
        gss_host=None,
        utf8_decode_errors="replace",
    )
    try:
        await connection.wait_closed()
    finally:
        connection.abort()


def _judge(serving: asyncio.Task[None]) -> None:
    """A client that speaks no SSH, or goes, is none of our faults; anything else is told."""
    fault = serving.exception()
    if fault is not None and not isinstance(fault, (asyncssh.Error, OSError, EOFError, TimeoutError)):
        raise fault


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(_IDLE_SECONDS):
            data = await reader.read(_PIECE)
        if not data:
            return
        writer.write(data)
        async with asyncio.timeout(_IDLE_SECONDS):
            await writer.drain()
