"""SMB 2 and 3, a message at a time: a server that lets everybody in as a guest and takes every file.

Facts: MS-SMB2 2.2 and 3.3.5. Signing, encryption and compression are not offered.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator

from package_hunter.decoy.talks import smb_files as files
from package_hunter.decoy.talks import smb_login as login
from package_hunter.decoy.talks.smb_files import Files

HEAD = 64
DATA_BYTES = 64 << 10  # of one read or write
_HEADER = struct.Struct("<4sHHIHHIIQIIQ16s")
_SMB1, _SMB2 = b"\xffSMB", b"\xfeSMB"
_NEGOTIATE, _SETUP, _LOGOFF, _TREE, _UNTREE, _CREATE, _CLOSE, _FLUSH, _READ, _WRITE, _LOCK, _IOCTL = range(12)
_CANCEL, _ECHO, _LIST, _NOTIFY, _ABOUT, _SET = range(12, 18)
_FROM_SERVER, _RELATED = 0x1, 0x4
_GUEST = 0x1
_CREDITS = 512  # at most, of one answer
_COMPOUND = 64  # messages in one
_DIALECTS = (0x0210, 0x0202, 0x0302, 0x0300, 0x0311)  # in the order in which they suit us
_ANY_SMB2 = 0x02FF  # "let us go on in SMB 2" (3.3.5.3.1)
_LAST_FILE = b"\xff" * 16  # of related messages: the file of the one before
_MORE, _DENIED, _INVALID, _NO_REQUEST = 0xC0000016, 0xC0000022, 0xC000000D, 0xC0000010
_PIPES = "ipc$"
_REFERRALS = (0x00060194, 0x000601B0)  # FSCTL_DFS_GET_REFERRALS and its successor
_NOT_FOUND = 0xC0000225
_CONTEXT_SHA512 = struct.pack("<HHIHHH", 1, 38, 0, 1, 32, 1)

Reply = tuple[int, bytes]  # status, body


class SmbSession:
    """One connection. ``heard`` is told what stands in UTF-16 on the wire, and what is written into files."""

    def __init__(self, name: str, heard: Callable[[bytes], None]) -> None:
        self._name, self._heard = name, heard
        self._files = Files()
        self._session = int.from_bytes(os.urandom(6), "little")
        self._guid = os.urandom(16)
        self._tree = self._trees = 0
        self._pipes: set[int] = set()
        self._last = b""
        self._does: dict[int, Callable[[bytes, int], Reply]] = {
            _NEGOTIATE: self._negotiate,
            _SETUP: self._log_in,
            _LOGOFF: _done,
            _TREE: self._connect,
            _UNTREE: _done,
            _CREATE: self._create,
            _CLOSE: self._close,
            _FLUSH: _done,
            _READ: self._read,
            _WRITE: self._write,
            _LOCK: _done,
            _IOCTL: self._control,
            _ECHO: _done,
            _LIST: self._list,
            _ABOUT: self._about,
            _SET: self._set,
        }

    def replies(self, data: bytes) -> Iterator[bytes]:
        """The answers to a message, each of its own. ValueError where it is none."""
        if data.startswith(_SMB1):
            yield self._negotiate_from_smb1(data)
            return
        for _ in range(_COMPOUND):
            if len(data) < HEAD or not data.startswith(_SMB2):
                raise ValueError("no message of SMB 2")
            after = int.from_bytes(data[20:24], "little")
            if after and after < HEAD:
                raise ValueError("a message inside of the one before")
            yield self._reply(data[:after] if after else data)
            data = data[after:]
            if not after or not data:
                return

    def _reply(self, data: bytes) -> bytes:
        _, _, charge, _, command, wanted, flags, _, number, process, tree, _, _ = _HEADER.unpack_from(data)
        if command == _CANCEL:
            return b""
        if not flags & _RELATED:
            self._last, self._tree = b"", tree
        does = self._does.get(command)
        try:
            status, body = does(data, HEAD) if does else (files.NOT_SUPPORTED, b"")
        except struct.error:
            status, body = _INVALID, b""
        if not body:
            body = struct.pack("<HBBIB", 9, 0, 0, 0, 0)
        credits_ = max(1, min(wanted, _CREDITS))
        head = (_SMB2, HEAD, charge, status, command, credits_, _FROM_SERVER, 0, number, process, self._tree)
        return _HEADER.pack(*head, self._session if command != _NEGOTIATE else 0, bytes(16)) + body

    def _negotiate_from_smb1(self, data: bytes) -> bytes:
        if data[4:5] != b"\x72" or b"SMB 2." not in data:
            raise ValueError("SMB 1")
        dialect = _ANY_SMB2 if b"SMB 2.???" in data else 0x0202
        head = (_SMB2, HEAD, 0, 0, _NEGOTIATE, 1, _FROM_SERVER, 0, 0, 0, 0, 0, bytes(16))
        return _HEADER.pack(*head) + self._server(dialect)

    def _negotiate(self, data: bytes, at: int) -> Reply:
        (count,) = struct.unpack_from("<H", data, at + 2)
        offered = {
            number for (number,) in struct.iter_unpack("<H", _even(data[at + 36 : at + 36 + 2 * count]))
        }
        dialect = next((one for one in _DIALECTS if one in offered), None)
        return (files.NOT_SUPPORTED, b"") if dialect is None else (0, self._server(dialect))

    def _server(self, dialect: int) -> bytes:
        token = login.offered()
        contexts = (
            bytes(-(128 + len(token)) % 8) + _CONTEXT_SHA512 + os.urandom(32) if dialect == 0x0311 else b""
        )
        place = HEAD + 64 + len(token) + (-(128 + len(token)) % 8) if contexts else 0
        sizes = (0, DATA_BYTES, DATA_BYTES, DATA_BYTES, files.filetime(), 0, HEAD + 64, len(token), place)
        begin = struct.pack("<HHHH", 65, 1, dialect, 1 if contexts else 0) + self._guid
        return begin + struct.pack("<IIIIQQHHI", *sizes) + token + contexts

    def _log_in(self, data: bytes, at: int) -> Reply:
        token = _part(data, *struct.unpack_from("<HH", data, at + 12))
        said, done, of_itself = login.answered(token, self._name)
        self._heard(of_itself)
        flags = _GUEST if done else 0
        return (0 if done else _MORE), struct.pack("<HHHH", 9, flags, HEAD + 8, len(said)) + said

    def _connect(self, data: bytes, at: int) -> Reply:
        path = self._text(data, *struct.unpack_from("<HH", data, at + 4))
        self._trees += 1
        self._tree = self._trees
        pipes = path.lower().endswith(_PIPES)
        if pipes:
            self._pipes = {self._tree}
        return 0, struct.pack("<HBBIII", 16, 2 if pipes else 1, 0, 0, 0, 0x001F01FF)

    def _create(self, data: bytes, at: int) -> Reply:
        disposition, options, start, size = struct.unpack_from("<IIHH", data, at + 36)
        name = self._text(data, start, size)
        if self._tree in self._pipes:
            return files.NAME_NOT_FOUND, b""
        status, body, self._last = self._files.create(name, disposition, options)
        return status, body

    def _close(self, data: bytes, at: int) -> Reply:
        body = self._files.close(self._number(data, at + 8))
        return (files.FILE_CLOSED, b"") if body is None else (0, body)

    def _read(self, data: bytes, at: int) -> Reply:
        file = self._files.of(self._number(data, at + 16))
        return files.FILE_CLOSED if file is None else files.END_OF_FILE, b""

    def _write(self, data: bytes, at: int) -> Reply:
        start, size, offset = struct.unpack_from("<HIQ", data, at + 2)
        file = self._files.of(self._number(data, at + 16))
        if file is None:
            return files.FILE_CLOSED, b""
        if size > DATA_BYTES or file.folder:
            return _INVALID, b""
        self._heard(_part(data, start, size))
        self._files.wrote(file, offset + size)
        return 0, struct.pack("<HHIIHHB", 17, 0, size, 0, 0, 0, 0)

    def _control(self, data: bytes, at: int) -> Reply:
        (code,) = struct.unpack_from("<I", data, at + 4)
        return _NOT_FOUND if code in _REFERRALS else _NO_REQUEST, b""

    def _list(self, data: bytes, at: int) -> Reply:
        kind, flags = struct.unpack_from("<BB", data, at + 2)
        file = self._files.of(self._number(data, at + 8))
        if file is None:
            return files.FILE_CLOSED, b""
        if flags & 0x11:  # from the beginning again
            file.listed = False
        return _told(*files.listing(file, kind))

    def _about(self, data: bytes, at: int) -> Reply:
        what, kind = struct.unpack_from("<BB", data, at + 2)
        number = self._number(data, at + 24)
        file = self._files.of(number)
        if file is None:
            return files.FILE_CLOSED, b""
        if what == 1:
            return _told(*files.about_file(file, number, kind))
        return _told(*files.about_disk(kind)) if what == 2 else (files.NOT_SUPPORTED, b"")

    def _set(self, data: bytes, at: int) -> Reply:
        size, start = struct.unpack_from("<IH", data, at + 4)
        self._text(data, start, size)  # a new name, at most
        return 0, struct.pack("<H", 2)

    def _number(self, data: bytes, at: int) -> bytes:
        number = data[at : at + 16]
        return self._last if number == _LAST_FILE else number

    def _text(self, data: bytes, start: int, size: int) -> str:
        text = _part(data, start, size).decode("utf-16-le", "replace")
        self._heard(text.encode("utf-8", "replace"))
        return text


def _done(_data: bytes, _at: int) -> Reply:
    return 0, struct.pack("<HH", 4, 0)


def _told(status: int, said: bytes) -> Reply:
    return (status, b"") if status else (0, struct.pack("<HHI", 9, HEAD + 8, len(said)) + said)


def _part(data: bytes, start: int, size: int) -> bytes:
    return data[start : start + size] if start >= HEAD else b""


def _even(data: bytes) -> bytes:
    return data[: len(data) // 2 * 2]
