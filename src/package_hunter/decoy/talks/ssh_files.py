"""SFTP and scp without a file: what is uploaded is heard and gone, what is listed is empty.

Every operation of asyncssh's server that would reach the file system is answered here; a test holds that none is left.
"""

from __future__ import annotations

import posixpath
import stat
from collections import OrderedDict
from collections.abc import AsyncIterator

import asyncssh

from package_hunter.decoy.talks.base import Table

_HOME = b"/home/deploy"
_UPLOADS = 1_000  # whose size is remembered
_PATH = 4_096  # bytes
_TIME = 1_744_441_353  # of every file


class _File:
    """One that is being written."""

    def __init__(self, path: bytes) -> None:
        self.path, self.size = path, 0


class HeardFiles(asyncssh.SFTPServer):
    """The files of one session."""

    def __init__(self, table: Table, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(chan)
        self._table = table
        self._sizes: OrderedDict[bytes, int] = OrderedDict()  # of what was uploaded
        self._folders: OrderedDict[bytes, None] = OrderedDict({b"/": None, b"/home": None, _HOME: None})

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        where = self.realpath(path)
        if not pflags & asyncssh.FXF_WRITE and where not in self._sizes:
            raise asyncssh.SFTPNoSuchFile("No such file or directory")
        self._hear_name(path)
        self._keep(where, 0)
        return _File(where)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return self.open(path, asyncssh.FXF_WRITE, attrs)

    def close(self, file_obj: object) -> None:
        if isinstance(file_obj, _File):
            self._keep(file_obj.path, file_obj.size)

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return b""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._table.heard(data)
        if isinstance(file_obj, _File):
            file_obj.size = max(file_obj.size, offset + len(data))
        return len(data)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        where = self.realpath(path)
        if where in self._folders:
            return _attributes(stat.S_IFDIR | 0o755, 4_096)
        if where in self._sizes:
            return _attributes(stat.S_IFREG | 0o644, self._sizes[where])
        raise asyncssh.SFTPNoSuchFile("No such file or directory")

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self.stat(path)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return _attributes(stat.S_IFREG | 0o644, file_obj.size if isinstance(file_obj, _File) else 0)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for name in (b".", b".."):
            yield asyncssh.SFTPName(name, attrs=_attributes(stat.S_IFDIR | 0o755, 4_096))

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._hear_name(path)
        self._folders[self.realpath(path)] = None
        if len(self._folders) > _UPLOADS:
            self._folders.popitem()

    def rmdir(self, path: bytes) -> None:
        self._folders.pop(self.realpath(path), None)

    def remove(self, path: bytes) -> None:
        self._sizes.pop(self.realpath(path), None)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._hear_name(newpath)
        self._keep(self.realpath(newpath), self._sizes.pop(self.realpath(oldpath), 0))

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self.rename(oldpath, newpath)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        self._hear_name(newpath)

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        self._hear_name(oldpath + b"\n" + newpath)

    def readlink(self, path: bytes) -> bytes:
        raise asyncssh.SFTPNoSuchFile("No such file or directory")

    def realpath(self, path: bytes) -> bytes:
        return posixpath.normpath(posixpath.join(_HOME, path[:_PATH])).replace(b"//", b"/")

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        return asyncssh.SFTPVFSAttrs(
            4096, 4096, 1 << 24, 1 << 23, 1 << 23, 1 << 22, 1 << 21, 1 << 21, 7, 0, 255
        )

    def fstatvfs(self, file_obj: object) -> asyncssh.SFTPVFSAttrs:
        return self.statvfs(b"/")

    def lock(self, file_obj: object, offset: int, length: int, flags: int) -> None:
        pass

    def unlock(self, file_obj: object, offset: int, length: int) -> None:
        pass

    def fsync(self, file_obj: object) -> None:
        pass

    def exit(self) -> None:
        self.channel.exit(0)  # scp takes an end without it for a failure

    def _hear_name(self, path: bytes) -> None:
        self._table.heard(path[:_PATH] + b"\n")

    def _keep(self, path: bytes, size: int) -> None:
        self._sizes[path] = size
        if len(self._sizes) > _UPLOADS:
            self._sizes.popitem(last=False)


def _attributes(mode: int, size: int) -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(size=size, uid=1000, gid=1000, permissions=mode, atime=_TIME, mtime=_TIME)
