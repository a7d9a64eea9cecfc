"""The SQLite file: made and opened without being led elsewhere.

The worker is root, and the folder is the API's user's, who may put anything there at any moment. So a connection
looks first (for the sake of a clear error), never makes a file, and asks SQLite afterwards which file it has
opened: SQLite follows a link in the place of the database, and opens what it has found without following another.
Nothing is read or written before that answer. `acting_as_owner` bounds what could be reached at all.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from package_hunter.store.errors import StoreError

COMPANIONS = ("-wal", "-shm", "-journal")
_ROOM = 64 << 10  # bytes: what -shm takes at first (32 KiB), and a page or two of the log


def refuse_links(file: Path) -> None:
    """StoreError where the folder, the database or a companion is a link, a pipe or anything else than a file."""
    for path in (file.parent, file, *(file.with_name(file.name + end) for end in COMPANIONS)):
        try:
            mode = path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not (stat.S_ISDIR(mode) if path == file.parent else stat.S_ISREG(mode)):
            raise _no_file(path)


def make(file: Path) -> None:
    """An empty file where none is yet; one that exists is not even opened (closing it would let go of this
    process's locks on it: fcntl(2))."""
    refuse_links(file)
    with suppress(FileExistsError, FileNotFoundError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))


class ReadOnly(sqlite3.Connection):
    """A connection that cannot write, and takes the file as one that nobody changes: for one use (``used``)."""

    used = False


def connect(file: Path) -> sqlite3.Connection:
    """A connection to the existing file; StoreError where something else lies in its place.

    It is a ReadOnly where the disk is full and the store was left in order (a restart): SQLite cannot make its
    companions then, and would not even read; nobody else can write either, and all is in the file itself.
    """
    refuse_links(file)
    alone = no_room(file) and not any(file.with_name(file.name + end).exists() for end in COMPANIONS)
    kind, how = (ReadOnly, "mode=ro&immutable=1") if alone else (sqlite3.Connection, "mode=rw")
    connection = sqlite3.connect(
        f"file:{quote(str(file))}?{how}", uri=True, check_same_thread=False, factory=kind
    )
    try:
        opened = connection.execute("PRAGMA database_list").fetchone()[2]
        if Path(opened) not in (file, file.parent.resolve() / file.name):
            raise _no_file(file)
        refuse_links(file)
    except BaseException:
        connection.close()
        raise
    return connection


def no_room(file: Path) -> bool:
    """Whether the disk has no room for the companions, without which SQLite opens nothing, not even for reading: it
    then speaks of an I/O error, or of a file that it cannot open."""
    try:
        disk = os.statvfs(file.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _ROOM or (disk.f_files > 0 and disk.f_favail < len(COMPANIONS))


def _no_file(path: Path) -> StoreError:
    return StoreError(
        f"{path.name} of the store is not an ordinary file.", "Look who put it there, and remove it."
    )
