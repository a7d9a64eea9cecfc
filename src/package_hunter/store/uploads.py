"""Archives on disk, by digest: `<data_dir>/received/<sha256>`. They are bytes here; nobody looks inside.

While one comes in it is a locked file ``part-…``: its lock tells a live upload from what a
killed server left.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from package_hunter.acting import acting_as_owner
from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.store import scans
from package_hunter.store.database import DiskFullError, Store

log = structlog.get_logger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_CHECK_EVERY = 64 << 20  # bytes between two looks at the free space
_HASH_CHUNK = 1 << 20
_PART_AGE = 10.0  # seconds
# The folder belongs to the API's user and the worker is root: follow no link, wait on no pipe.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Upload:
    """An archive that is coming in: ``write`` its bytes, then ``done``, ``discard`` in any case."""

    def __init__(self, folder: Path, min_free: int) -> None:
        self._min_free = min_free
        self._path = folder / f"part-{secrets.token_hex(8)}"
        try:
            self._fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _disk_full(error) from error
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._hash = hashlib.sha256()
        self.size = 0
        self.sha256 = ""

    def write(self, data: bytes | bytearray) -> None:
        """Append; DiskFullError where there is no room."""
        try:
            if self.size // _CHECK_EVERY != (self.size + len(data)) // _CHECK_EVERY:
                require_space(self._path.parent, self._min_free)
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise _disk_full(error) from error
        self._hash.update(data)
        self.size += len(data)

    def done(self) -> None:
        """All bytes are there: put them safely on disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise _disk_full(error) from error
        self.sha256 = self._hash.hexdigest()

    def keep(self) -> None:
        """Give it its final name; to be done in the transaction that stores its scan, under `Uploads.key`."""
        folder = self._path.parent
        self._path.replace(folder / self.sha256)
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def discard(self) -> None:
        """Close it, and remove what was not kept."""
        if self._fd >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


class Uploads:
    """The folder of archives."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data_dir / "received"
        self._min_free = settings.min_free_bytes
        self._max_bytes = settings.max_archive_bytes

    def begin(self, expected: int = 0) -> Upload:
        """A new upload of ``expected`` bytes (0: unknown); DiskFullError where they would not fit."""
        require_space(self.folder, self._min_free + expected)
        return Upload(self.folder, self._min_free)

    def free(self) -> int:
        """Bytes that uploads may still take."""
        return shutil.disk_usage(self.folder).free - self._min_free

    @contextmanager
    def opened(self, sha256: str, size: int | None = None) -> Iterator[IO[bytes]]:
        """The archive, open for reading, once it is sure that it is what was uploaded; HostError else.

        It is opened once: who has it open has what was checked, whatever the folder holds under that name later.
        ``size`` is what the upload had; None: not known.
        """
        with self._open(sha256) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise HostError(f"The uploaded archive {sha256} is no ordinary file.", _AGAIN)
            if state.st_size > self._max_bytes or size not in (None, state.st_size):
                raise HostError(f"The uploaded archive {sha256} does not have its size any more.", _AGAIN)
            if _digest(file, state.st_size) != sha256:
                raise HostError(f"The uploaded archive {sha256} was damaged on disk.", _AGAIN)
            file.seek(0)
            yield file

    def _open(self, sha256: str) -> IO[bytes]:
        path = self._path(sha256)
        try:
            return os.fdopen(os.open(path, _OPEN), "rb")
        except OSError as error:
            what = "a link lies in its place" if error.errno == errno.ELOOP else error.strerror
            raise HostError(f"The uploaded archive {sha256} cannot be read ({what}).", _AGAIN) from error

    def remove_unneeded(self, store: Store, sha256: str) -> None:
        """Remove the archive unless a scan that is not finished wants it."""
        path = self._path(sha256)
        with store.write() as session:
            store.lock(session, self.key(sha256))
            if not scans.needs_upload(session, sha256):
                self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove a name, never what it leads to. A folder is nobody's upload: it stays, and the log tells."""
        try:
            with acting_as_owner(self.folder):
                path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("not removed from the archives", name=path.name[:80], error=error.strerror)

    def sweep(self, store: Store) -> int:
        """Remove what nobody needs (left by a killed server or worker); how many files that were."""
        gone = 0
        for path in list(self.folder.iterdir()):
            if path.name.startswith("part-"):
                self._remove_dead_part(path)
            elif _DIGEST.match(path.name):
                self.remove_unneeded(store, path.name)
            gone += not os.path.lexists(path)
        return gone

    def _remove_dead_part(self, path: Path) -> None:
        try:
            if time.time() - path.lstat().st_mtime < _PART_AGE:
                return  # perhaps made, but not yet locked
            fd = os.open(path, _OPEN)
        except FileNotFoundError:
            return  # finished or removed meanwhile
        except OSError:
            return self._remove(path)  # a link or a socket: no upload was ever that
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._remove(path)
        except BlockingIOError:
            pass  # still coming in
        finally:
            os.close(fd)

    @staticmethod
    def key(sha256: str) -> str:
        """What to `Store.lock` while an archive gets its name or is removed."""
        return f"upload:{sha256}"

    def _path(self, sha256: str) -> Path:
        if not _DIGEST.match(sha256):
            raise HostError(
                f"{sha256[:80]!r} is no SHA-256 digest.", "The store was damaged: restore a backup."
            )
        return self.folder / sha256


_AGAIN = "Submit it again."


def require_space(folder: Path, wanted: int) -> None:
    """DiskFullError where less than ``wanted`` bytes are free."""
    if shutil.disk_usage(folder).free < wanted:
        raise DiskFullError(
            "The disk is too full to take archives.", "Free some space under the data directory."
        )


def _disk_full(error: OSError) -> OSError | DiskFullError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError("The disk is full.", "Free some space under the data directory.")
    return error


def _digest(file: IO[bytes], size: int) -> str:
    """The SHA-256 of the first ``size`` bytes; a file that grows meanwhile keeps nobody here."""
    digest = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(size, _HASH_CHUNK))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()
