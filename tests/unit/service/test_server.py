"""Folders, rights and addresses of the API process."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from package_hunter.api.server import listen, prepare_folders, server_ids
from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError
from requires import needs_root


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
