"""What PostgreSQL answers to a message: a database in which every table is there, takes all and holds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from package_hunter.decoy.talks.sql import bare, statements

_V = TypeVar("_V")

_TEXT = 25  # the type's number
_NAMES = 1_000  # statements and portals remembered
_PARAMETER = re.compile(rb"\$(\d{1,5})")
_FROM_CLIENT = re.compile(r"^COPY .*\bFROM STDIN\b")
_TO_CLIENT = re.compile(r"^COPY .*\bTO STDOUT\b")
_ROWS = ("SELECT", "SHOW", "WITH", "VALUES", "TABLE", "EXPLAIN", "FETCH")
_TAGS = {"INSERT": "INSERT 0 1", "UPDATE": "UPDATE 1", "DELETE": "DELETE 1", "MERGE": "MERGE 1"}
_TWO_WORDS = ("CREATE", "DROP", "ALTER")
_KNOWN = {
    "SELECT VERSION()": ("version", "PostgreSQL 16.6 (Debian 16.6-1.pgdg120+1) on x86_64-pc-linux-gnu"),
    "SELECT CURRENT_USER": ("current_user", "postgres"),
    "SELECT CURRENT_DATABASE()": ("current_database", "postgres"),
    "SELECT 1": ("?column?", "1"),
    "SHOW SERVER_VERSION": ("server_version", "16.6"),
    "SHOW TRANSACTION ISOLATION LEVEL": ("transaction_isolation", "read committed"),
    "SHOW STANDARD_CONFORMING_STRINGS": ("standard_conforming_strings", "on"),
}


def message(kind: bytes, data: bytes = b"") -> bytes:
    """A message with its length."""
    return kind + (4 + len(data)).to_bytes(4, "big") + data


def ready(state: bytes) -> bytes:
    """ReadyForQuery: ``I`` idle, ``T`` in a transaction, ``E`` in one that failed."""
    return message(b"Z", state)


def complaint(severity: bytes, code: bytes, text: str) -> bytes:
    """ErrorResponse."""
    fields = (b"S" + severity, b"V" + severity, b"C" + code, b"M" + text.encode())
    return message(b"E", b"".join(field + b"\0" for field in fields) + b"\0")


class Session:
    """A connection whose client is logged in: ``reply`` is asked for each message in turn."""

    def __init__(self) -> None:
        self.over = False
        self._state = b"I"
        self._copying: bytes | None = None  # what is said when the copy is done
        self._prepared: dict[bytes, tuple[bytes, list[int]]] = {}
        self._portals: dict[bytes, bytes] = {}
        self._skipping = False  # after an error, until the next Sync
        self._answers: dict[bytes, Callable[[bytes], bytes]] = {
            b"Q": self._query, b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._execute,
            b"C": lambda data: message(b"3"),
        }  # fmt: skip

    def reply(self, kind: bytes, data: bytes) -> bytes:
        """The answer to a message, given its type."""
        if self._copying is not None and kind in b"dcfHS":
            return self._copied(kind)
        if kind == b"X":
            self.over = True
            return b""
        if kind == b"S":
            self._skipping = False
            return ready(self._state)
        if self._skipping or kind in b"Hdcf":
            return b""
        if answer := self._answers.get(kind):
            return answer(data)
        if kind == b"F":
            return complaint(b"ERROR", b"42883", "function does not exist") + ready(self._state)
        self.over = True
        return complaint(b"FATAL", b"08P01", f"invalid frontend message type {kind[0]}")

    def _query(self, data: bytes) -> bytes:
        said = []
        for statement in statements(data.partition(b"\0")[0]):
            said.append(self._result(statement, described=False))
            if self._copying is not None:
                self._copying += ready(self._state)
                return b"".join(said)
        return (b"".join(said) or message(b"I")) + ready(self._state)

    def _result(self, statement: bytes, described: bool) -> bytes:
        """All that is said of a statement; ``described``: its columns were told before."""
        words = bare(statement)
        first = words.partition(" ")[0]
        if _FROM_CLIENT.match(words):
            self._copying = message(b"C", b"COPY 1\0")
            return message(b"G", b"\0\0\1\0\0")
        if _TO_CLIENT.match(words):
            return message(b"H", b"\0\0\1\0\0") + message(b"c") + message(b"C", b"COPY 0\0")
        if first in _ROWS or " RETURNING " in words:
            return (
                (b"" if described else _columns(words))
                + _row(words)
                + message(b"C", self._tag(words) + b"\0")
            )
        if first in ("BEGIN", "START"):
            self._state = b"T"
        elif first in ("COMMIT", "ROLLBACK", "END", "ABORT") and " TO " not in words:
            self._state = b"I"
        return message(b"C", self._tag(words) + b"\0")

    def _tag(self, words: str) -> bytes:
        first, _, rest = words.partition(" ")
        if first in _ROWS:
            return b"SELECT %d" % (words in _KNOWN) if first != "SHOW" else b"SHOW"
        if first in _TWO_WORDS:
            return f"{first} {rest.partition(' ')[0]}".strip().encode("latin-1")
        return _TAGS.get(first, {"START": "START TRANSACTION", "END": "COMMIT"}.get(first, first)).encode(
            "latin-1"
        )

    def _copied(self, kind: bytes) -> bytes:
        done = self._copying or b""
        if kind in b"dHS":
            return b""
        self._copying = None
        if kind == b"c":
            return done
        self._skipping = not done.endswith(ready(self._state))  # by the extended protocol: a Sync follows
        failed = complaint(b"ERROR", b"57014", "COPY from stdin failed")
        return failed if self._skipping else failed + ready(self._state)

    def _parse(self, data: bytes) -> bytes:
        name, _, rest = data.partition(b"\0")
        text, _, types = rest.partition(b"\0")
        count = int.from_bytes(types[:2], "big")
        given = [
            int.from_bytes(types[at : at + 4], "big")
            for at in range(2, min(len(types) - 3, 2 + 4 * count), 4)
        ]
        wanted = max((int(number) for number in _PARAMETER.findall(text)), default=0)
        wanted = min(max(wanted, len(given)), 65_535)
        found = [number or _TEXT for number in given] + [_TEXT] * (wanted - len(given))
        _remember(self._prepared, name[:63], (next(iter(statements(text)), b"")[:4096], found))
        return message(b"1")

    def _bind(self, data: bytes) -> bytes:
        portal, _, rest = data.partition(b"\0")
        name = rest.partition(b"\0")[0][:63]
        if name not in self._prepared:
            return self._failed(f'prepared statement "{name[:63].decode("latin-1")}" does not exist')
        _remember(self._portals, portal[:63], self._prepared[name][0])
        return message(b"2")

    def _describe(self, data: bytes) -> bytes:
        name = data[1:].partition(b"\0")[0][:63]
        if data[:1] == b"P":
            return (
                self._failed("portal does not exist")
                if name not in self._portals
                else _shape(self._portals[name])
            )
        if name not in self._prepared:
            return self._failed("prepared statement does not exist")
        text, types = self._prepared[name]
        numbers = b"".join(number.to_bytes(4, "big") for number in types)
        return message(b"t", len(types).to_bytes(2, "big") + numbers) + _shape(text)

    def _execute(self, data: bytes) -> bytes:
        name = data.partition(b"\0")[0][:63]
        if name not in self._portals:
            return self._failed("portal does not exist")
        text = self._portals[name]
        return self._result(text, described=True) if text else message(b"I")

    def _failed(self, text: str) -> bytes:
        self._skipping = True
        return complaint(b"ERROR", b"26000", text)


def _remember(memory: dict[bytes, _V], name: bytes, value: _V) -> None:
    memory.pop(name, None)
    if len(memory) >= _NAMES:
        del memory[next(iter(memory))]
    memory[name] = value


def _shape(statement: bytes) -> bytes:
    words = bare(statement)
    rows = words.partition(" ")[0] in _ROWS or " RETURNING " in words
    return _columns(words) if rows else message(b"n")


def _columns(words: str) -> bytes:
    """RowDescription: one column of text."""
    name = _KNOWN.get(words, ("?column?",))[0].encode()
    kind = _TEXT.to_bytes(4, "big") + b"\xff\xff" + b"\xff\xff\xff\xff" + b"\0\0"
    return message(b"T", b"\0\1" + name + b"\0" + bytes(6) + kind)


def _row(words: str) -> bytes:
    if words not in _KNOWN:
        return b""
    value = _KNOWN[words][1].encode()
    return message(b"D", b"\0\1" + len(value).to_bytes(4, "big") + value)
