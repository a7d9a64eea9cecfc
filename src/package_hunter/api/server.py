"""The API process: sockets, rights given up, uvicorn with limits that it does not have by itself."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import importlib
import os
import pkgutil
import pwd
import resource
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fastapi
import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from package_hunter.api.app import warm_up
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError

_HEADER_SECONDS = 15.0
_MAX_HEADER_BYTES = 32 << 10
_MAX_CONNECTIONS = 900
_FILES = 4_096
_BACKLOG = 1_024
_PR_SET_NO_NEW_PRIVS = 38
_LIBRARIES = (
    *("fastapi", "starlette", "uvicorn", "anyio", "h11", "pydantic", "sqlalchemy.sql", "sqlalchemy.orm"),
    *("email", "encodings", "rich", "packageurl"),
)
_NOT_LOADED = {"__main__", "cli", "testclient", "migrations", "supervisors", "mypy", "wsgi"}


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever until a request's head is complete (slow loris)."""

    _guard: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Let the clock run exactly while a head is incomplete."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._guard is None:
            self._guard = self.loop.call_later(_HEADER_SECONDS, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None


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
        for name in ("store", "received"):
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
    """From root to the API's user, for good; UsageError where that user cannot reach the data directory."""
    if os.geteuid() == 0:
        uid, gid = server_ids(settings)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for name in ("store", "received"):
        if not os.access(settings.data_dir / name, os.W_OK | os.X_OK):
            raise UsageError(
                f"The server's user (uid {os.geteuid()}) cannot write to {settings.data_dir / name}.",
                "Open the folders above it (chmod o+x), or set PACKAGE_HUNTER_DATA_DIR to another place.",
            )


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
        limit_concurrency=_MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
    )
    config.load()
    return config


async def serve(config: uvicorn.Config, sockets: list[socket.socket]) -> None:
    """Answer requests until SIGTERM; those under way are finished, for up to ten seconds."""
    await uvicorn.Server(config).serve(sockets)


def run(app: FastAPI, sockets: list[socket.socket], settings: Settings, dropped: Callable[[], None]) -> int:
    """The API process from its start to its end; its exit code. ``dropped`` is called as ordinary user."""
    _raise_file_limit()
    asyncio.run(warm_up(app))
    config = _configured(app, settings)
    if os.geteuid() == 0:
        _load_what_is_out_of_reach(settings)
    drop_rights(settings)
    dropped()
    asyncio.run(serve(config, sockets))
    return 0


def _load_what_is_out_of_reach(settings: Settings) -> None:
    """Where the server's user cannot read the program (a checkout in root's home), import all of it now.

    Frameworks import parts of themselves with the first request that needs them, which is too late then.
    What does not import (an optional dependency that is missing) would not do so later either.
    """
    if all(_can_pass(folder, server_ids(settings)) for folder in Path(fastapi.__file__).parents):
        return
    from package_hunter import api, findings, model, policy, queue, report, store

    ours = (model, api, store, queue, report, policy, findings)
    for package in (*ours, *map(importlib.import_module, _LIBRARIES)):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None):
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
