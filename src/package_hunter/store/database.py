"""The database behind the store: SQLite (WAL) by default, PostgreSQL by its URL."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
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

from package_hunter import storage
from package_hunter.acting import acting_as_ourselves, acting_as_owner
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.storage.base import Artefacts
from package_hunter.store import connections, sqlite_file, tolerance
from package_hunter.store.clock import now_ms as now_ms  # part of this module's interface
from package_hunter.store.errors import DiskFullError as DiskFullError  # part of this module's interface
from package_hunter.store.errors import StoreError as StoreError
from package_hunter.store.errors import UnstorableError as UnstorableError

_SET_UP_SECONDS = 10.0  # for a connection's settings, while others hold the database
_PRAGMAS = (
    "foreign_keys = ON",
    "busy_timeout = 10000",
    "journal_mode = WAL",  # readers and the writer do not wait for each other
    "synchronous = FULL",  # an accepted scan survives a power cut
    "trusted_schema = OFF",  # the worker is root, the file belongs to the API's user
    "cell_size_check = ON",
)
_MIGRATION_LOCK = 0x7068_6D69  # any number that no other advisory lock uses


def store_dir(settings: Settings) -> Path:
    """Where the SQLite file lies: a directory of its own, since its owner may create files in it."""
    return settings.data_dir / "store"


def database_url(settings: Settings) -> URL:
    """The URL of the store; UsageError where the setting names no database that we know."""
    if settings.database_url is None:
        return URL.create("sqlite", database=str(store_dir(settings) / "store.db"))
    try:
        url = make_url(settings.database_url)
    except ArgumentError as error:
        raise UsageError("PACKAGE_HUNTER_DATABASE_URL is no database URL.", _URL_ADVICE) from error
    name = url.get_backend_name()
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name == "sqlite":
        if url.query or (url.database or "").startswith(("file:", ":")):
            raise UsageError("PACKAGE_HUNTER_DATABASE_URL has options or is no file.", _SQLITE_ADVICE)
        return url if url.database else url.set(database=str(store_dir(settings) / "store.db"))
    raise UsageError(f"PACKAGE_HUNTER_DATABASE_URL names the unknown database {name!r}.", _URL_ADVICE)


_SQLITE_ADVICE = "Give sqlite:////PATH/TO/FILE, or unset it for the default place."
_URL_ADVICE = "Give postgresql://USER:PASSWORD@HOST/DATABASE, or unset it for SQLite."


class Store:
    """Transactions on the database. One object a process; not to be carried over a fork."""

    def __init__(self, settings: Settings) -> None:
        url = database_url(settings)
        self._settings = settings
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._file = Path(url.database).absolute() if self.is_sqlite and url.database else None
        try:
            self.engine = _sqlite(url, self._file) if self._file else _postgresql(url)
        except (ImportError, NoSuchModuleError) as error:
            raise UsageError(
                "PostgreSQL needs the driver psycopg and procrastinate, which are not installed.",
                "Install package-hunter[postgres].",
            ) from error

    @cached_property
    def artefacts(self) -> Artefacts:
        """What rows name by digest. Opened when it is first asked for: a process that gives up its rights asks before
        that, since it may not be able to read the key afterwards. UsageError."""
        return storage.of(self._settings)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading: sees one consistent state, waits for nobody (SQLite in WAL mode)."""
        with self._careful(), self._session(self.engine) as session:
            yield session

    @contextmanager
    def peek(self) -> Iterator[Connection]:
        """A connection for one prepared query, a third of the cost of `read`: status polls."""
        with self._careful(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all.

        On SQLite it holds the write lock from its start, so what it read stays true until the commit.
        """
        engine = self.engine.execution_options(hunter_write=True)
        with self._careful(), self._session(engine) as session, session.begin():
            yield session

    def _session(self, engine: Engine) -> Session:
        return Session(engine, expire_on_commit=False, info={"store": self})

    def lock(self, session: Session, key: str) -> None:
        """Hold the writers that lock the same ``key`` back until this transaction ends."""
        if not self.is_sqlite:  # SQLite has one writer at a time anyway
            session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def try_lock(self, session: Session, key: str) -> bool:
        """Likewise, but without waiting: False where another writer has it."""
        if self.is_sqlite:
            return True
        statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
        return bool(session.scalar(statement, {"key": key}))

    def migrate(self) -> None:
        """Make the database, or bring it up to date; safe when several processes do it at once."""
        with self._careful():
            if self._file is not None:
                sqlite_file.make(self._file)
            begun = self.engine.execution_options(hunter_write=True).begin()
            # the migrations are our own files; the database and its log are open once the transaction has begun
            with begun as connection, acting_as_ourselves():
                _upgrade(connection, self.is_sqlite)

    def grant(self, role: str) -> None:
        """PostgreSQL: give a server's role what it needs; UsageError, StoreError (see `grants`)."""
        from package_hunter.store import grants  # which knows the tables, and they know this module

        with self._careful(), self.engine.begin() as connection:
            grants.grant(connection, role)

    def close(self) -> None:
        """Close every connection."""
        with self._careful():
            self.engine.dispose()

    @contextmanager
    def _careful(self) -> Iterator[None]:
        """Errors become sentences; and SQLite touches its files with the rights of whose folder they lie in."""
        with _explained(self._file), acting_as_owner(self._file.parent) if self._file else nullcontext():
            yield


def _upgrade(connection: Connection, is_sqlite: bool) -> None:
    config = Config()
    config.set_main_option("script_location", "package_hunter.store:migrations")
    config.attributes["connection"] = connection
    if not is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
        if _is_guest(connection):
            return _require_current(connection, config)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if tolerance.tolerated(connection, str(_head(config))):
            return
        raise HostError(
            f"The store was written by a newer version of Package Hunter ({error}).",
            "Run that version, or point PACKAGE_HUNTER_DATA_DIR elsewhere.",
        ) from error


def _is_guest(connection: Connection) -> bool:
    """Whether the tables are there, and another role's (`grants`)."""
    query = text(
        "SELECT NOT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class "
        "WHERE oid = to_regclass('alembic_version')"
    )
    return bool(connection.scalar(query))


def _require_current(connection: Connection, config: Config) -> None:
    head = _head(config)
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found != head and not tolerance.tolerated(connection, str(head)):
        raise HostError(
            f"The store's tables are of another version ({found}, not {head}), and belong to another role.",
            "Run package-hunter database grant ROLE as their owner.",
        )


def _head(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _postgresql(url: URL) -> Engine:
    import procrastinate  # noqa: F401 - its tables are ours, too: told now, not by a worker

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
