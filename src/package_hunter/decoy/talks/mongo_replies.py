"""What MongoDB answers to a command."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Mapping

from package_hunter.decoy.talks.bson import Value, count, encode, top_level

_MORE_TO_COME = 2
_HELLO = ("hello", "ismaster", "isMaster")
_WRITES = {"insert": "documents", "update": "updates", "delete": "deletes"}
_CURSORS = ("find", "aggregate", "listCollections", "listIndexes")
_Fields = Mapping[str, bytes | str | int]
_Said = Mapping[str, Value]
_Answer = Callable[[_Fields], _Said]


class Session:
    """One connection."""

    def __init__(self) -> None:
        self._nonce = b""
        self._commands: dict[str, _Answer] = {
            "saslStart": self._sasl_start, "saslContinue": self._sasl_continue,
            "buildInfo": _build, "buildinfo": _build, "listDatabases": _databases,
            "getMore": lambda fields: _cursor(fields, "nextBatch"), "distinct": lambda fields: {"values": []},
            "count": lambda fields: {"n": 0}, "findAndModify": lambda fields: {"value": None},
            "connectionStatus": lambda fields: {"authInfo": {"authenticatedUsers": []}},
            "whatsmyuri": lambda fields: {"you": "10.88.0.2:40000"},
            "getnonce": lambda fields: {"nonce": secrets.token_hex(8)},
        }  # fmt: skip

    def message(self, body: bytes) -> bytes:
        """The answer to an OP_MSG (without its head); none where the client wants none, or it is broken."""
        if len(body) < 9:
            return b""
        flags = int(struct.unpack_from("<I", body)[0])
        fields, written = _sections(body[4:])
        if not fields or flags & _MORE_TO_COME:
            return b""
        return bytes(5) + encode(self._reply(fields, written))

    def query(self, body: bytes) -> bytes:
        """The answer to an OP_QUERY: commands of clients that do not know yet who we are."""
        end = body.find(b"\0", 4)
        fields = top_level(body[end + 9 :]) if end > 0 else {}
        if not fields:
            return b""
        return struct.pack("<iqii", 8, 0, 0, 1) + encode(self._reply(fields, 0))

    def _reply(self, fields: _Fields, written: int) -> _Said:
        name = next(iter(fields))
        said: _Said = {}
        if name in _HELLO:
            said = _hello(fields)
        elif name in _WRITES:
            found = fields.get(_WRITES[name], b"")
            changed = max(1, written, len(top_level(found)) if isinstance(found, bytes) else 0)
            said = {"n": changed, "nModified": changed} if name == "update" else {"n": changed}
        elif name in _CURSORS:
            said = _cursor(fields, "firstBatch")
        elif answer := self._commands.get(name):
            said = answer(fields)
        return {"ok": 1.0, **said}

    def _sasl_start(self, fields: _Fields) -> _Said:
        mechanism, payload = fields.get("mechanism"), fields.get("payload", b"")
        if mechanism in ("PLAIN", "MONGODB-X509"):
            return {"conversationId": 1, "done": True, "payload": b""}
        if (
            isinstance(payload, str)
            or not isinstance(payload, bytes)
            or not str(mechanism).startswith("SCRAM-")
        ):
            return _refused(
                334,
                "MechanismUnavailable",
                f"Received authentication for mechanism {str(mechanism)[:40]} which is not enabled",
            )
        self._nonce = payload.rpartition(b"r=")[2][:128]
        salt = b"c2VydmVyc2FsdA4h7Q=="
        first = b"r=" + self._nonce + secrets.token_urlsafe(18).encode() + b",s=" + salt + b",i=15000"
        return {"conversationId": 1, "done": False, "payload": first}

    def _sasl_continue(self, fields: _Fields) -> _Said:
        """Whose password we do not know cannot be shown that we do: what came is searched, the client is refused."""
        return _refused(18, "AuthenticationFailed", "Authentication failed.")


def _sections(data: bytes) -> tuple[_Fields, int]:
    """The command, and how many documents came beside it."""
    fields: _Fields = {}
    at = written = 0
    while at < len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 5], "little")
        if size < 5 or kind > 1:
            break
        section = data[at + 1 : at + 1 + size]
        if kind == 0:
            fields = fields or top_level(section)
        else:
            end = section.find(b"\0", 4)
            written += count(section[end + 1 :]) if end > 0 else 0
        at += 1 + size
    return fields, written


def _hello(fields: _Fields) -> _Said:
    said: dict[str, Value] = {
        "helloOk": True, "ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": 16 << 20,
        "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "logicalSessionTimeoutMinutes": 30,
        "connectionId": 4711, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False, "compression": ["zlib"],
    }  # fmt: skip
    if "saslSupportedMechs" in fields:
        said["saslSupportedMechs"] = ["PLAIN"]
    return said


def _cursor(fields: _Fields, batch: str) -> _Said:
    name = next(iter(fields.values()))
    database = fields.get("$db")
    parts = (database if isinstance(database, str) else "test", name if isinstance(name, str) else "$cmd")
    where = ".".join(parts)[:255]
    return {"cursor": {"id": 0, "ns": where, batch: []}}


def _build(fields: _Fields) -> _Said:
    return {"version": "7.0.15", "gitVersion": "57939cc60865b0ba431c7e08c2589fa266a1a740",
            "versionArray": [7, 0, 15, 0], "bits": 64, "maxBsonObjectSize": 16 << 20, "modules": []}  # fmt: skip


def _databases(fields: _Fields) -> _Said:
    names = {"admin": 40_960, "config": 73_728, "local": 8_192, "app": 21_389_312}
    rows: list[Value] = [{"name": name, "sizeOnDisk": size, "empty": False} for name, size in names.items()]
    return {"databases": rows, "totalSize": sum(names.values())}


def _refused(code: int, name: str, text: str) -> _Said:
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}
