"""Folders, rights and addresses of the API process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from package_hunter.api import server
from package_hunter.api.server import listen, prepare_folders, server_ids
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from package_hunter.store.models import WorkerRow
from tests.support.requires import needs_root


def test_what_is_the_server_s_and_what_is_not(tmp_path: Path) -> None:
    needs_root()
    settings = Settings(data_dir=tmp_path / "data")
    prepare_folders(settings)
    store = settings.data_dir / "store"
    secret = tmp_path / "secret"
    secret.write_text("root's")
    (store / "store.db").write_text("")
    os.link(secret, store / "store.db-wal")
    prepare_folders(settings)
    uid, _ = server_ids(settings)
    owners = {p.name: p.stat().st_uid for p in (settings.data_dir, store, store / "store.db", secret)}
    assert owners == {"data": 0, "store": uid, "store.db": uid, "secret": 0}


def test_a_link_in_place_of_the_store_is_not_followed(tmp_path: Path) -> None:
    needs_root()
    settings = Settings(data_dir=tmp_path / "data")
    prepare_folders(settings)
    secret = tmp_path / "secret"
    secret.write_text("root's")
    (settings.data_dir / "store" / "store.db").symlink_to(secret)
    with pytest.raises(HostError):
        prepare_folders(settings)
    assert secret.stat().st_uid == 0


_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO workers (name, seen) VALUES (?, 1)", [sys.argv[2]])
connection.commit()
print("written", flush=True)
sys.stdin.read()
connection.close()
"""


def test_an_open_store_sees_what_others_write_later(tmp_path: Path) -> None:
    """Touching the database's files must not let go of its locks: its log would vanish from under it."""
    settings = Settings(data_dir=tmp_path / "data")
    store = open_store(settings)
    for name in ("first", "second"):
        prepare_folders(settings)
        command = [sys.executable, "-c", _WRITER, str(settings.data_dir / "store" / "store.db"), name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"written\n"
            with store.read() as session:
                assert name in set(session.scalars(select(WorkerRow.name)))
    store.close()


def test_a_server_user_of_the_system_is_taken() -> None:
    assert server_ids(Settings(server_user="nobody"))[0] == 65534
    assert server_ids(Settings(server_user="no-such-user", server_uid=64991)) == (64991, 64991)


def test_localhost_is_both_addresses_on_one_port() -> None:
    sockets = listen("localhost", 0, development=True)
    try:
        assert len({s.getsockname()[1] for s in sockets}) == 1
        assert all(s.proto == socket.IPPROTO_TCP for s in sockets)  # or asyncio leaves Nagle on
    finally:
        for made in sockets:
            made.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_development_stays_on_loopback(host: str) -> None:
    with pytest.raises(UsageError, match="asks no credentials"):
        listen(host, 0, development=True)


def test_hosts_that_are_none() -> None:
    with pytest.raises(UsageError, match="cannot be listened on"):
        listen("no such host", 0, development=False)
    with pytest.raises(HostError, match="cannot be used"):
        listen("192.0.2.1", 0, development=False)


@pytest.mark.parametrize("built_in", ["sys", "itertools", "time"])
def test_what_is_built_into_python_needs_no_file(monkeypatch: pytest.MonkeyPatch, built_in: str) -> None:
    """Debian's Python has some modules without a file that others have as one (unicodedata)."""
    assert not hasattr(sys.modules[built_in], "__file__")
    loaded = []
    monkeypatch.setattr(server, "_LIBRARIES", (built_in, "h11"))
    monkeypatch.setattr(server, "_can_pass", lambda folder, ids: "h11" not in str(folder))
    monkeypatch.setattr(server, "_load_all_of", lambda package: loaded.append(package.__name__))
    server.load_what_is_out_of_reach(Settings())
    assert loaded == ["h11"]
