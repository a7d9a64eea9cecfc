"""What MySQL answers to a command: a database in which every table is there, takes all and holds nothing."""

from __future__ import annotations

from package_hunter.decoy.talks.sql import bare, placeholders, statements

_IN_TRANSACTION, _AUTOCOMMIT, _MORE = 1, 2, 8
OK = b"\0\0\0\x02\0\0\0"
_QUIT, _USE, _QUERY, _FIELDS, _STATISTICS, _PING, _CHANGE_USER = 1, 2, 3, 4, 9, 14, 17
_PREPARE, _EXECUTE, _LONG_DATA, _CLOSE = 22, 23, 24, 25
_ROWS = ("SELECT", "SHOW", "WITH", "DESCRIBE", "DESC", "EXPLAIN", "VALUES", "TABLE", "CHECK", "ANALYZE")
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_VARIABLES = {
    "VERSION_COMMENT": "MySQL Community Server - GPL", "VERSION": "8.0.40", "MAX_ALLOWED_PACKET": "67108864",
    "AUTO_INCREMENT_INCREMENT": "1", "CHARACTER_SET_CLIENT": "utf8mb4", "CHARACTER_SET_CONNECTION": "utf8mb4",
    "CHARACTER_SET_RESULTS": "utf8mb4", "CHARACTER_SET_SERVER": "utf8mb4", "COLLATION_SERVER": "utf8mb4_0900_ai_ci",
    "COLLATION_CONNECTION": "utf8mb4_0900_ai_ci", "INIT_CONNECT": "", "INTERACTIVE_TIMEOUT": "28800",
    "LICENSE": "GPL", "LOWER_CASE_TABLE_NAMES": "0", "NET_WRITE_TIMEOUT": "60", "PERFORMANCE_SCHEMA": "1",
    "SQL_MODE": "STRICT_TRANS_TABLES", "SYSTEM_TIME_ZONE": "UTC", "TIME_ZONE": "SYSTEM", "WAIT_TIMEOUT": "28800",
    "TRANSACTION_ISOLATION": "REPEATABLE-READ", "TX_ISOLATION": "REPEATABLE-READ", "TRANSACTION_READ_ONLY": "0",
    "TX_READ_ONLY": "0", "QUERY_CACHE_SIZE": "0", "QUERY_CACHE_TYPE": "OFF", "AUTOCOMMIT": "1", "HOSTNAME": "db-1",
    "SOCKET": "/run/mysqld/mysqld.sock", "DATADIR": "/var/lib/mysql/", "SECURE_FILE_PRIV": "", "SERVER_ID": "1",
}  # fmt: skip
_FUNCTIONS = {
    "VERSION()": "8.0.40",
    "USER()": "root@10.88.0.2",
    "CURRENT_USER()": "root@%",
    "CONNECTION_ID()": "4711",
}
_COLUMNS = 32


def complaint(code: int, state: str, text: str) -> bytes:
    """An ERR packet."""
    return b"\xff" + code.to_bytes(2, "little") + b"#" + state.encode() + text.encode()


class Session:
    """A connection whose client is logged in: ``reply`` is asked for each command in turn."""

    def __init__(self) -> None:
        self.over = False
        self._flags = _AUTOCOMMIT
        self._statements = 0

    def reply(self, command: bytes) -> list[bytes]:
        """The packets that answer a command."""
        kind, rest = command[0] if command else _QUIT, command[1:]
        if kind == _QUIT:
            self.over = True
            return []
        if kind in (_CLOSE, _LONG_DATA):
            return []
        if kind == _QUERY:
            return self._query(rest)
        if kind == _PREPARE:
            return self._prepare(rest)
        if kind == _STATISTICS:
            return [
                b"Uptime: 4112873  Threads: 3  Questions: 91822  Slow queries: 0  Opens: 411  Open tables: 380"
            ]
        if kind == _FIELDS:
            return [self._end()]
        return [self._ok()]

    def _query(self, text: bytes) -> list[bytes]:
        found = statements(text) or [b""]
        if len(found) == 256:
            found = found[:1]
        packets = []
        for number, statement in enumerate(found):
            packets += self._result(statement, _MORE if number + 1 < len(found) else 0)
        return packets

    def _result(self, statement: bytes, more: int) -> list[bytes]:
        words = bare(statement)
        first = words.partition(" ")[0]
        if first == "LOAD" and " LOCAL " in words:
            return [
                complaint(
                    3948,
                    "42000",
                    "Loading local data is disabled; this must be enabled on both the client and server sides",
                )
            ]
        if first in ("BEGIN", "START"):
            self._flags |= _IN_TRANSACTION
        elif first in ("COMMIT", "ROLLBACK"):
            self._flags &= ~_IN_TRANSACTION
        if first in _ROWS:
            return self._rows(words, statement, more)
        return [self._ok(int(first in _CHANGES), more)]

    def _rows(self, words: str, statement: bytes, more: int) -> list[bytes]:
        names, values = _known(words, statement)
        packets = [_count(len(names)), *map(_column, names), self._end(more)]
        if values is not None:
            packets.append(b"".join(map(_text, values)))
        return [*packets, self._end(more)]

    def _prepare(self, text: bytes) -> list[bytes]:
        self._statements += 1
        wanted = placeholders(text)
        head = b"\0" + (self._statements & 0xFFFFFFFF).to_bytes(4, "little") + b"\0\0"
        parameters = [_column(b"?")] * wanted
        return [
            head + wanted.to_bytes(2, "little") + b"\0\0\0",
            *parameters,
            *([self._end()] if wanted else []),
        ]

    def _ok(self, changed: int = 0, more: int = 0) -> bytes:
        return bytes((0, changed, 0)) + (self._flags | more).to_bytes(2, "little") + b"\0\0"

    def _end(self, more: int = 0) -> bytes:
        return b"\xfe\0\0" + (self._flags | more).to_bytes(2, "little")


def _known(words: str, statement: bytes) -> tuple[list[bytes], list[bytes] | None]:
    """Columns and the one row of a SELECT of variables alone; else one column without a row."""
    body = words.removeprefix("SELECT ").removesuffix(" LIMIT 1")
    if not words.startswith("SELECT ") or " FROM " in words:
        return [b"Value"], None
    names, values = [], []
    for part in body.split(",")[:_COLUMNS]:
        asked, _, shown = part.strip().partition(" AS ")
        key = asked.strip().removeprefix("@@").removeprefix("SESSION.").removeprefix("GLOBAL.")
        value = _VARIABLES.get(key) if asked.startswith("@@") else _FUNCTIONS.get(asked.strip())
        if value is None and asked.strip().isdigit():
            value = asked.strip()
        names.append(_cased(shown.strip() or asked.strip(), statement))
        values.append((value or "").encode())
    return names, values


def _cased(name: str, statement: bytes) -> bytes:
    """As the statement writes it: clients look columns up by name."""
    wanted = name.encode("latin-1")
    at = statement.upper().find(wanted)
    return (statement[at : at + len(wanted)] if at >= 0 else wanted)[:64].strip(b"`'\"")


def _count(number: int) -> bytes:
    return bytes((number,)) if number < 251 else b"\xfc" + number.to_bytes(2, "little")


def _text(value: bytes) -> bytes:
    return _count(len(value)) + value


def _column(name: bytes) -> bytes:
    """ColumnDefinition41: text in utf8mb4."""
    head = _text(b"def") + _text(b"") * 3 + _text(name) * 2 + b"\x0c"
    return head + (255).to_bytes(2, "little") + (1024).to_bytes(4, "little") + b"\xfd" + bytes(5)
