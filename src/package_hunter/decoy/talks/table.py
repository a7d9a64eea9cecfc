"""Which conversation a connection gets: by its first bytes, or by its port where the client waits for the server.

A row a protocol. A row counts once its module is there (``talks/NAME.py`` with ``play``).
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """``play`` is the module, and the kind of the connection's record. ``greets`` are the ports, without and within
    TLS, on which the server speaks first. ``opens`` matches a client's first bytes; ``ports`` are those on which it
    counts (empty: any)."""

    play: str
    greets: tuple[int, ...] = ()
    opens: re.Pattern[bytes] | None = None
    ports: tuple[int, ...] = ()


def _bytes(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_MAIL = (25, 465, 587, 2465, 2525, 2587)
_FTP = (21, 990, 2121)
_ROWS = (
    Row("ssh", (22, 2222), _bytes(rb"SSH-")),
    Row("smtp", _MAIL, _bytes(rb"(?i:EHLO|HELO|LHLO)[ \r\n]")),
    Row(
        "imap", (143, 993), _bytes(rb"(?i)[a-z0-9.]{1,16} (CAPABILITY|LOGIN|STARTTLS|ID|AUTHENTICATE)[ \r\n]")
    ),
    Row("pop3", (110, 995), _bytes(rb"(?i)(CAPA\r?\n|APOP |USER )"), (110, 995)),
    Row("ftp", _FTP, _bytes(rb"(?i)(AUTH TLS|USER )"), _FTP),
    Row("ldap", (), _bytes(rb"\x30.{0,5}\x02[\x01-\x04].{1,4}[\x60\x63\x77]")),
    Row("smb", (), _bytes(rb"(\0.{3}[\xfe\xff]SMB|\x81\0\0\x44\x20)")),
    Row("redis", (), _bytes(rb"\*\d{1,7}\r\n\$")),
    Row("redis", (), _bytes(rb"(?i)(PING|AUTH|HELLO|INFO|SET|GET|COMMAND)[ \r\n]"), (6379, 6380)),
    Row("mongo", (), _bytes(rb".{12}(\xdd\x07|\xd4\x07|\xdc\x07)\0\0")),
    Row("postgres", (), _bytes(rb"\0\0.{2}(\0\x03\0[\0-\x02]|\x04\xd2\x16[\x2e-\x30])")),
    Row("mysql", (3306, 33060)),
    Row("mqtt", (), _bytes(rb"\x10.{1,4}\0(\x04MQTT|\x06MQIsdp)")),
    Row("h2", (), _bytes(rb"PRI \* HTTP/2\.0\r\n")),
    Row("websocket"),  # after its upgrade
    Row("echo", (7,)),
)
ROWS = tuple(row for row in _ROWS if importlib.util.find_spec(f"{__package__}.{row.play}"))
PLAYS = tuple(dict.fromkeys(row.play for row in ROWS))


def greeted(port: int) -> str | None:
    """The conversation of a port whose server speaks first."""
    return next((row.play for row in ROWS if port in row.greets), None)


def opened(first: bytes, port: int) -> str | None:
    """The conversation that a client's first bytes begin."""
    for row in ROWS:
        if row.opens and row.opens.match(first) and (not row.ports or port in row.ports):
            return row.play
    return None
