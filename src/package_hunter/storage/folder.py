"""Artefacts as files below ``DATA_DIR/artefacts``.

Not by the object store library's own local files: it puts nothing safely on disk (no fsync), and works in threads of
its own, so root could not take the rights of the folder's owner, whose links it would follow.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from package_hunter.acting import acting_as_owner
from package_hunter.config import Settings
from package_hunter.errors import StoreError
from package_hunter.storage.blobs import Blob, Content
from package_hunter.storage.errors import DamagedError, MissingError, unreachable
from package_hunter.storage.incoming import OPEN, Incoming, Spool, disk_full, remove

_CHUNK = 1 << 20  # bytes


def folder_of(config: Settings) -> Path:
    """Where artefacts, and what comes in, lie on this machine; it belongs to the API's user."""
    return config.data_dir / "artefacts"


class Folder:
    """Implements `blobs.Blobs`. A file gets its name once all of it is on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._spool = Spool(root, 0)  # results are stored on the room that uploads leave free

    def put(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """See the port."""
        with _explained():
            incoming = self._spool.begin(size)
        try:
            for chunk in chunks:
                incoming.write(chunk)
            incoming.done()
            self.adopt(name, incoming)
        finally:
            incoming.discard()

    def adopt(self, name: str, incoming: Incoming) -> bool:
        """See the port: it is renamed, and so are its folders' entries put on disk."""
        path = self._root / name
        with _explained(), acting_as_owner(self._root):
            self._make_folder(path.parent)
            incoming.path.replace(path)
            _sync(path.parent)
        return True

    def _make_folder(self, folder: Path) -> None:
        if folder == self._root or folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)

    def get(self, name: str) -> Content:
        """See the port: an open file stays what it is, whatever its name comes to mean."""
        fd = self._open(name)
        return Content(os.fstat(fd).st_size, _chunks(fd))

    def _open(self, name: str) -> int:
        what = f"The artefact {name}"
        try:
            with acting_as_owner(self._root):
                fd = os.open(self._root / name, OPEN)
        except FileNotFoundError as error:
            raise MissingError(f"{what} is not there.") from error
        except OSError as error:
            raise DamagedError(f"{what} cannot be read ({error.strerror}).") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise DamagedError(f"{what} is no ordinary file.")
        return fd

    def head(self, name: str) -> Blob | None:
        """See the port."""
        with _explained(), acting_as_owner(self._root):
            try:
                state = (self._root / name).lstat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Blob(name, state.st_size, state.st_mtime)

    def delete(self, name: str) -> None:
        """See the port."""
        remove(self._root, self._root / name)

    def list(self, prefix: str) -> Iterator[Blob]:
        """See the port."""
        with _explained(), acting_as_owner(self._root):
            folders = _names(self._root / prefix)
        for folder in folders:
            with _explained(), acting_as_owner(self._root):
                names = _names(self._root / prefix / folder)
            for name in names:
                found = self.head(f"{prefix}/{folder}/{name}")
                if found is not None:
                    yield found


def _names(folder: Path) -> list[str]:
    """What lies in a folder; nothing where it is none."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, and no objects for each
    except (FileNotFoundError, NotADirectoryError):
        return []


def _chunks(fd: int) -> Iterator[bytes]:
    with os.fdopen(fd, "rb", buffering=0) as file, _explained():
        while chunk := file.read(_CHUNK):
            yield chunk


def _sync(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = disk_full(error)
        raise told if isinstance(told, StoreError) else unreachable(str(error)) from error
