"""The database behind the store: SQLite (WAL) by default, PostgreSQL by its URL."""

from __future__ import annotations

import errno
import importlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, DisconnectionError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError


def _head(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _postgresql(url: URL) -> Engine:
    importlib.import_module("procrastinate")  # its tables are ours, too: told now, not by a worker
    limits = connections.limits(url)
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=8, max_overflow=8, pool_timeout=10, connect_args=limits
    )
    event.listen(engine, "connect", connections.limit_other_end)
    return engine


def _sqlite(url: URL, file: Path) -> Engine:
    engine = create_engine(
        url, creator=lambda: sqlite_file.connect(file), pool_size=8, max_overflow=8, pool_timeout=10
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkout", _once_only)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: sqlite3's own would begin too late
    for pragma in _PRAGMAS:
        _patiently(connection, f"PRAGMA {pragma}")


def _patiently(connection: Any, statement: str) -> None:
    """Run it; tried again while others hold the database: SQLite does not wait by itself where several turn a new
    database's log on at once, whatever busy_timeout says."""
    end = time.monotonic() + _SET_UP_SECONDS
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= end:
                raise
            time.sleep(0.02)


def _once_only(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that was made on a full disk is not used again: the disk may have room by then."""
    if isinstance(connection, sqlite_file.ReadOnly):
        if connection.used:
            raise DisconnectionError
        connection.used = True


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("hunter_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _explained(file: Path | None) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreError("The store is too busy to answer.", "Try again in a moment.") from error
    except DataError as error:
        raise UnstorableError(
            "A text or number holds what cannot be stored.", "Leave out NUL characters."
        ) from error
    except DBAPIError as error:
        raise _as_store_error(error, file) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError("The disk is full.", "Free some space under the data directory.") from error
        raise


# what SQLite says of a full disk, where it does not say that
_VAGUE = ("disk I/O error", "unable to open database file", "readonly database")


def _as_store_error(error: DBAPIError, file: Path | None) -> StoreError:
    what = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
    vague = any(words in what for words in _VAGUE)
    full = vague and file is not None and sqlite_file.no_room(file)
    if full or "disk is full" in what or "No space left" in what:
        return DiskFullError("The store's disk is full.", "Free some space under the data directory.")
    if "unable to open database file" in what or "readonly database" in what:
        advice = "Run as the user that owns it, or point PACKAGE_HUNTER_DATA_DIR elsewhere."
        return StoreError(f"The store cannot be opened ({what}).", advice)
    own = isinstance(
        error.orig, sqlite3.Error
    )  # its sentences name no file; PostgreSQL's name host and socket
    return StoreError(
        f"The store failed ({what}).", "See docs/server.md, The store.", "" if own else "The store failed."
    )
