"""One account's many scans and archives keep no other account from its few."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.archives import held
from tests.support.requires import needs_root
from tests.support.service_harness import ARCHIVE, PASSWORD, USER, Running, open_folder, running, wait_for


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def other(server: Running) -> httpx.Client:
    """A second account: the token."""
    headers = {"Authorization": f"Bearer {server.token}", **ARCHIVE}
    return httpx.Client(base_url=server.client.base_url, headers=headers, trust_env=False, timeout=30)


def post(client: httpx.Client, body: bytes = b"x") -> httpx.Response:
    return client.post("/monitor/project/npm", content=body, headers=ARCHIVE)


def test_a_full_queue_has_room_for_others(folder: Path) -> None:
    with running(folder, mode="serve-only", max_pending_scans=4) as server, other(server) as token:
        assert [post(server.client).status_code for _ in range(5)] == [200] * 4 + [429]
        assert [post(token).status_code for _ in range(3)] == [200, 200, 429]
        assert "6 scans are waiting" in post(token).json()["reason"]


def test_the_late_one_is_served_before_the_greedy_one_is_done(folder: Path) -> None:
    with running(folder) as server, other(server) as token:
        greedy = [server.submit(b"sleep 0.3 %d" % n) for n in range(8)]
        late = post(token).json()["id"]
        server.ended(late)
        assert server.status(greedy[-1])["status"] == "pending"
        for scan in greedy:
            server.ended(scan)


def test_slow_uploads_leave_room_for_others(folder: Path) -> None:
    with running(folder, mode="serve-only", max_uploads=3) as server, contextlib.ExitStack() as stack:
        authorization = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        head = (
            "POST /monitor/project/npm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
            f"Authorization: Basic {authorization}\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        for _ in range(3):
            made = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            made.sendall(head.encode())
        wait_for(lambda: len(held(folder)) == 3)
        refused = post(server.client)
        assert refused.status_code == 429
        assert "coming in" in refused.json()["reason"]
        with other(server) as token:
            assert post(token).status_code == 200


def test_one_account_s_archives_leave_half_of_the_disk(folder: Path) -> None:
    needs_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", folder], check=True)
    try:
        with running(folder, mode="serve-only", min_free_bytes=0) as server, other(server) as token:
            archives = [bytes([n]) * 3_000_000 for n in range(6)]
            taken = [post(server.client, archive).status_code for archive in archives[:4]]
            assert taken == [200, 200, 429, 429]
            assert "as much room" in post(server.client, archives[0]).json()["reason"]
            chunked = server.client.post(
                "/monitor/project/npm", content=(archives[4][i : i + 9999] for i in range(0, 3_000_000, 9999)),
                headers=ARCHIVE,
            )  # fmt: skip
            assert chunked.status_code == 429
            assert post(token, archives[5]).status_code == 200
            assert len(held(folder)) == 3
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
