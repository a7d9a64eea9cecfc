"""FTP (RFC 959, 2428, 4217): every login and upload is taken; the client is called by nobody, it calls.

A data connection comes before or after the command that uses it, so it waits for that command, and the command for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress

from package_hunter.decoy.talks.base import Guest, Table
from package_hunter.decoy.talks.turns import LineReader, say

_COMMANDS = 10_000  # of one connection
_PIECE = 64 << 10
_CALL_SECONDS = 20.0  # for the data connection to come
_IDLE_SECONDS = 60.0
_WHOLE_SECONDS = 600.0
_FILE = b"#\n"  # whatever is fetched
_FEATURES = b"211-Features:\r\n%b UTF8\r\n EPSV\r\n PASV\r\n MDTM\r\n SIZE\r\n REST STREAM\r\n211 End\r\n"
_UPLOADS, _LISTS = (b"STOR", b"APPE", b"STOU"), (b"LIST", b"NLST", b"MLSD")
_FIXED = {
    b"USER": b"331 Please specify the password.\r\n",
    b"PASS": b"230 Login successful.\r\n",
    b"ACCT": b"230 Login successful.\r\n",
    b"SYST": b"215 UNIX Type: L8\r\n",
    b"PWD": b'257 "/" is the current directory\r\n',
    b"XPWD": b'257 "/" is the current directory\r\n',
    b"CWD": b"250 Directory successfully changed.\r\n",
    b"CDUP": b"250 Directory successfully changed.\r\n",
    b"MKD": b"257 Directory created.\r\n",
    b"XMKD": b"257 Directory created.\r\n",
    b"RMD": b"250 Remove directory operation successful.\r\n",
    b"DELE": b"250 Delete operation successful.\r\n",
    b"RNFR": b"350 Ready for RNTO.\r\n",
    b"RNTO": b"250 Rename successful.\r\n",
    b"TYPE": b"200 Switching to Binary mode.\r\n",
    b"MODE": b"200 Mode set to S.\r\n",
    b"STRU": b"200 Structure set to F.\r\n",
    b"OPTS": b"200 Always in UTF8 mode.\r\n",
    b"REST": b"350 Restart position accepted (0).\r\n",
    b"SIZE": b"213 %d\r\n" % len(_FILE),
    b"MDTM": b"213 20250412070233\r\n",
    b"ALLO": b"202 ALLO command ignored.\r\n",
    b"ABOR": b"225 No transfer to ABOR.\r\n",
    b"NOOP": b"200 NOOP ok.\r\n",
    b"SITE": b"200 SITE command ok.\r\n",
    b"STAT": b"211 End of status\r\n",
    b"HELP": b"214 Help OK.\r\n",
    b"PBSZ": b"200 PBSZ set to 0.\r\n",
    b"PORT": b"500 Illegal PORT command.\r\n",
    b"EPRT": b"500 Illegal EPRT command.\r\n",
}


class _Second:
    """A data connection that is awaited: ``table`` once it is there; it ends with ``over``."""

    def __init__(self) -> None:
        self.table: asyncio.Future[Table] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()

    async def play(self, table: Table) -> None:
        """Hand the connection to the command that waits for it; a second caller is turned away."""
        if self.table.done():
            return
        self.table.set_result(table)
        async with asyncio.timeout(_WHOLE_SECONDS):
            await self.over.wait()

    def end(self) -> None:
        """It is not needed any more."""
        self.over.set()
        if not self.table.done():
            self.table.cancel()


class _Session:
    """One control connection."""

    def __init__(self, table: Table) -> None:
        self._table, self._reader = table, LineReader(table)
        self._tls = table.guest.tls
        self._private = False  # data connections are secured, too
        self._second: _Second | None = None

    async def run(self) -> None:
        try:
            await say(self._table, b"220 (vsFTPd 3.0.5)\r\n")
            for _ in range(_COMMANDS):
                line = await self._reader.line()
                if line is None:
                    await say(self._table, b"500 Input line too long.\r\n")
                    return
                if not await self._obey(line):
                    return
        finally:
            self._drop()

    async def _obey(self, line: bytes) -> bool:
        word, _, rest = line.strip().partition(b" ")
        word, rest = word.upper(), rest.strip()
        if word == b"QUIT":
            await say(self._table, b"221 Goodbye.\r\n")
            return False
        if word == b"AUTH":
            await self._secure(rest.upper())
        elif word in (b"PASV", b"EPSV"):
            await say(self._table, await self._passive(word, rest.upper()))
        elif word in (*_UPLOADS, *_LISTS, b"RETR"):
            await self._transfer(word)
        else:
            await say(self._table, self._simple(word, rest))
        return True

    def _simple(self, word: bytes, rest: bytes) -> bytes:
        if word == b"FEAT":
            return _FEATURES % (b"" if self._tls else b" AUTH TLS\r\n PBSZ\r\n PROT\r\n")
        if word == b"PROT":
            if rest.upper() not in (b"P", b"C"):
                return b"536 PROT not supported.\r\n"
            self._private = rest.upper() == b"P"
            return b"200 PROT now %b.\r\n" % (b"Private" if self._private else b"Clear")
        return _FIXED.get(word, b"500 Unknown command.\r\n")

    async def _secure(self, how: bytes) -> None:
        if how not in (b"TLS", b"SSL", b"TLS-C", b"TLS-P") or self._tls:
            await say(self._table, b"530 Unknown AUTH type.\r\n")
            return
        await say(self._table, b"234 Proceed with negotiation.\r\n")
        await self._reader.secure()
        self._tls, self._private = True, how in (b"SSL", b"TLS-P")

    async def _passive(self, word: bytes, rest: bytes) -> bytes:
        """Where the client shall call: a new place each time, the old one is given up."""
        self._drop()
        if word == b"EPSV" and rest == b"ALL":
            return b"200 EPSV ALL ok.\r\n"
        address = _ipv4(self._table.guest)
        if word == b"PASV" and address is None:
            return b"425 You cannot use PASV on IPv6 connections. Use EPSV instead.\r\n"
        self._second = _Second()
        try:
            port = await self._table.expect(self._second.play)
        except OSError:
            self._drop()
            return b"425 Failed to establish connection.\r\n"
        if word == b"EPSV" or address is None:
            return b"229 Entering Extended Passive Mode (|||%d|)\r\n" % port
        place = b",".join(b"%d" % part for part in (*address.packed, port >> 8, port & 255))
        return b"227 Entering Passive Mode (%b).\r\n" % place

    async def _transfer(self, word: bytes) -> None:
        second = self._second
        if second is None:
            await say(self._table, b"425 Use PORT or PASV first.\r\n")
            return
        await say(self._table, b"150 Ok to send data.\r\n" if word in _UPLOADS else b"150 Here it comes.\r\n")
        try:
            await self._move(word, second)
        except (OSError, EOFError, TimeoutError):
            await say(self._table, b"426 Failure reading network stream.\r\n")
            return
        finally:
            self._drop()
        await say(self._table, b"226 Transfer complete.\r\n")

    async def _move(self, word: bytes, second: _Second) -> None:
        async with asyncio.timeout(_CALL_SECONDS):
            data = await asyncio.shield(second.table)
        if self._private and not data.guest.tls:
            await data.secure()
        if word in _UPLOADS:
            with contextlib.suppress(ConnectionResetError):  # it goes without reading all it was sent
                while await _piece(data):
                    pass  # heard on its way
        elif word == b"RETR":
            await say(data, _FILE)

    def _drop(self) -> None:
        if self._second:
            self._second.end()
        self._second = None


async def _piece(table: Table) -> bytes:
    async with asyncio.timeout(_IDLE_SECONDS):
        return await table.reader.read(_PIECE)


def _ipv4(guest: Guest) -> ipaddress.IPv4Address | None:
    """The address that PASV names (as IPv6 writes it, too)."""
    address = ipaddress.ip_address(guest.address.partition("%")[0])
    return address if isinstance(address, ipaddress.IPv4Address) else address.ipv4_mapped


async def play(table: Table) -> None:
    """The server's side of a connection that speaks FTP; one that began with TLS secures its data, too, on asking."""
    async with asyncio.timeout(_WHOLE_SECONDS):
        await _Session(table).run()
