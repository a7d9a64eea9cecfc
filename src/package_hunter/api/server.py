"""The API process: sockets, rights given up, uvicorn with limits that it does not have by itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import os
import pkgutil
import pwd
import resource
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import h11
import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from package_hunter.api.app import warm_up
from package_hunter.api.errors import SAFE_HEADERS, ApiError, overloaded
from package_hunter.api.waiting import Waiting, place_of
from package_hunter.config import Settings
from package_hunter.confine import drop_privileges, filter_calls
from package_hunter.errors import HostError, UsageError

log = structlog.get_logger(__name__)

_HEADER_SECONDS = 15.0
_MAX_HEADER_BYTES = 32 << 10
_MAX_CONNECTIONS = 900
_UNREAD_SECONDS = 60.0  # so long a client may read nothing of its answer
_FILES = 4_096
_BACKLOG = 1_024
_LIBRARIES = (
    *("fastapi", "starlette", "uvicorn", "anyio", "h11", "pydantic", "sqlalchemy.sql", "sqlalchemy.orm"),
    *("argon2", "authlib.oauth2", "authlib.oidc", "httpcore", "joserfc", "pyotp"),
    *("jinja2", "markupsafe", "prometheus_client", "rich", "packageurl", "httpx", "httpcore", "idna"),
    *("email", "encodings", "concurrent.futures", "zoneinfo", "unicodedata", "stringprep", "_strptime"),
)
TRACING = ("opentelemetry.exporter", "opentelemetry.sdk", "requests", "urllib3", "google.protobuf", "certifi")
"""What a process that sends traces needs beside."""
_NOT_LOADED = {"__main__", "cli", "testclient", "migrations", "supervisors", "mypy", "wsgi"}


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 with patience that ends: for a request's head (slow loris), for who does not read his answer,
    and for too many connections, of one address or of all."""

    waiting = Waiting()
    _guard: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _place = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._place = place_of(self.client)
        self._end = transport.abort  # one object: a bound method is a new one each time
        if len(self.connections) > _MAX_CONNECTIONS:
            self.app = overloaded
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Let the clock run exactly while a head is incomplete."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_watching()
        self._stop_reading()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next head is waited for; uvicorn ends a connection that sends none."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self.waiting.add(self._place, self._end)

    def pause_writing(self) -> None:
        """The client does not read: not for ever."""
        super().pause_writing()
        self._reading = self.loop.call_later(_UNREAD_SECONDS, self._leave)

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_reading()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered as everything else that is wrong is."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # in the middle of an answer
            return
        error = ApiError(400, "This is no HTTP request that is understood.", "See docs/api.md.")
        headers = [*error.response().raw_headers, *SAFE_HEADERS, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=error.body()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._guard is None:
            self._guard = self.loop.call_later(_HEADER_SECONDS, self.transport.abort)
            self.waiting.add(self._place, self._end)

    def _stop_watching(self) -> None:
        self.waiting.discard(self._place, self._end)
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _leave(self) -> None:
        log.info("connection left unread", address=self._place)
        self.transport.abort()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


def listen(host: str, port: int, development: bool) -> list[socket.socket]:
    """Sockets on all of the host's addresses (``localhost``: IPv4 and IPv6); UsageError, HostError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"The address {host!r} cannot be listened on ({error}).", "See --host.") from error
    addresses = sorted({(family, address) for family, _, _, _, address in found}, key=str)
    if development and not all(_is_loopback(str(address[0])) for _, address in addresses):
        raise UsageError(
            f"PACKAGE_HUNTER_DEVELOPMENT=1 asks no credentials, so {host} is not listened on.",
            "Use --host localhost, or make accounts and unset PACKAGE_HUNTER_DEVELOPMENT.",
        )
    return _bind_all(addresses, host, port)


def _bind_all(addresses: Sequence[tuple[Any, Any]], host: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    problem: OSError | None = None
    for family, address in addresses:
        if port == 0 and sockets:  # the port that was found for the first one
            address = (address[0], sockets[0].getsockname()[1], *address[2:])
        try:
            sockets.append(_bind(family, address))
        except OSError as error:  # a host without IPv6 still serves IPv4
            problem = error
    if not sockets or (problem is not None and problem.errno == 98):
        for made in sockets:
            made.close()
        raise HostError(f"Port {port} on {host} cannot be used ({problem}).", "Choose another: --port N.")
    return sockets


def _bind(family: int, address: Any) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _is_loopback(address: str) -> bool:
    return address == "::1" or address.startswith("127.")


def server_ids(settings: Settings) -> tuple[int, int]:
    """User and group that the API process runs as when it is started by root."""
    try:
        entry = pwd.getpwnam(settings.server_user)
    except KeyError:
        return settings.server_uid, settings.server_uid
    return entry.pw_uid, entry.pw_gid


def prepare_folders(settings: Settings) -> None:
    """Make the data directory, and in it what belongs to the API's user; HostError.

    The data directory itself stays the worker's: whoever owns it could put another image in its place.
    """
    try:
        settings.data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in ("store", "artefacts"):
            _own_folder(settings, settings.data_dir / name)
    except OSError as error:
        raise HostError(
            f"The data directory {settings.data_dir} cannot be used ({error.strerror}).",
            "Run as its owner, or set PACKAGE_HUNTER_DATA_DIR.",
        ) from error


def _own_folder(settings: Settings, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        uid, gid = server_ids(settings)
        os.chown(folder, uid, gid, follow_symlinks=False)
        for name in ("store.db", "store.db-wal", "store.db-shm"):  # made by root: a migration, `user add`
            _own_file(folder / name, uid, gid)


def _own_file(file: Path, uid: int, gid: int) -> None:
    """Chown an ordinary file with one name; the folder's owner may have put a link there instead.

    Only a path descriptor: opening and closing a database's file would let go of every lock that this
    process holds on it (POSIX: fcntl(2)), and SQLite would then take its log away from under it.
    """
    try:
        fd = os.open(file, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        state = os.fstat(fd)
        if stat.S_ISLNK(state.st_mode):
            raise OSError(errno.ELOOP, "a link lies where the store should be")
        if stat.S_ISREG(state.st_mode) and state.st_nlink == 1:
            os.chown(f"/proc/self/fd/{fd}", uid, gid)
    finally:
        os.close(fd)


def drop_rights(settings: Settings) -> None:
    """From root to the API's user, for good, and from now on only what a server asks of the kernel (as the
    systemd unit does it); UsageError where that user cannot reach the data directory."""
    drop_privileges(*(server_ids(settings) if os.geteuid() == 0 else (os.geteuid(), os.getegid())))
    for name in ("store", "artefacts"):
        if not os.access(settings.data_dir / name, os.W_OK | os.X_OK):
            raise UsageError(
                f"The server's user (uid {os.geteuid()}) cannot write to {settings.data_dir / name}.",
                "Open the folders above it (chmod o+x), or set PACKAGE_HUNTER_DATA_DIR to another place.",
            )
    filter_calls("server")


def _configured(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """uvicorn's settings, and what it would import when it starts: later its files may be out of reach."""
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
    )
    config.load()
    return config


async def serve(config: uvicorn.Config, sockets: list[socket.socket]) -> None:
    """Answer requests until SIGTERM; those under way are finished, for up to ten seconds."""
    await _Server(config).serve(sockets)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Who follows a scan is sent away first: such an answer would never be finished."""
        app: Any = self.config.app
        app.state.service.feed.close()
        await super().shutdown(sockets)


def run(app: FastAPI, sockets: list[socket.socket], settings: Settings, dropped: Callable[[], None]) -> int:
    """The API process from its start to its end; its exit code. ``dropped`` is called as ordinary user."""
    _raise_file_limit()
    asyncio.run(warm_up(app))
    config = _configured(app, settings)
    if os.geteuid() == 0:
        load_what_is_out_of_reach(settings)
    drop_rights(settings)
    dropped()
    asyncio.run(serve(config, sockets))
    return 0


def load_what_is_out_of_reach(settings: Settings, *more: str) -> None:
    """Import now what the server's user cannot read later: a checkout, libraries or a Python in root's home; ``more``
    are names of further libraries.

    Frameworks import parts of themselves with the first request that needs them, which is too late then.
    What does not import (an optional dependency that is missing) would not do so later either.
    """
    from package_hunter import (
        access,
        api,
        drill,
        findings,
        governance,
        identity,
        inventory,
        model,
        notices,
        policy,
        queue,
        report,
        rules,
        storage,
        store,
        triage,
        watching,
    )
    from package_hunter.governance.proposals.kinds import rule_set

    duties = (access, identity, governance, triage, inventory, rules, watching, drill)
    ours = (model, api, storage, store, notices, queue, report, policy, findings, *duties)
    ids = server_ids(settings)
    driver = {
        "psycopg",
        "obstore",
    } & sys.modules.keys()  # PostgreSQL's, an object store's: where they are in use
    for package in (*ours, *_importable(*_LIBRARIES, *driver, *more)):
        file = Path(getattr(package, "__file__", None) or "/")  # "/": built into Python
        above = {*file.parents, *file.resolve().parents}
        if not all(_can_pass(folder, ids) for folder in above):
            _load_all_of(package)
            if package is rules:
                rule_set.preload()


def _importable(*names: str) -> Iterator[ModuleType]:
    for name in names:
        with contextlib.suppress(ImportError):
            yield importlib.import_module(name)


def _load_all_of(package: ModuleType) -> None:
    prefix = f"{package.__name__}."
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), prefix, onerror=lambda _: None):
        if not _NOT_LOADED & set(module.name.split(".")):
            with contextlib.suppress(Exception):
                importlib.import_module(module.name)


def _can_pass(folder: Path, ids: tuple[int, int]) -> bool:
    state = folder.stat()
    bit = 0o100 if state.st_uid == ids[0] else 0o010 if state.st_gid == ids[1] else 0o001
    return bool(state.st_mode & bit)


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
