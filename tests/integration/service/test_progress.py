"""What a worker says of a scan: bounded, by whom holds it, never in its way; and heard by who follows."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from package_hunter.access.roles import Role
from package_hunter.api import feed
from package_hunter.config import Settings
from package_hunter.queue import progress
from package_hunter.queue.base import Job
from package_hunter.queue.progress import Progress
from package_hunter.store import scan_events, scans
from package_hunter.store.models import JobRow
from package_hunter.store.scans import NewScan
from tests.support.access_server import FOREIGN, OWN, AccessServer
from tests.support.service_fake import made_report
from tests.support.service_harness import wait_for


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path, database_url=settings.database_url)
    yield made
    made.close()


@pytest.fixture
def job(server: AccessServer) -> Job:
    return _job(server)


def _job(server: AccessServer, project: str = OWN) -> Job:
    with server.store.write() as session:
        scan = scans.add(session, NewScan("x", "ana", purl="pkg:npm/x", project=server.ids[project]))
        server.queue.enqueue(session, scan.id)
    found = server.queue.claim("w")
    assert found is not None
    return found


def texts(server: AccessServer, scan_id: uuid.UUID, after: int = 0) -> list[tuple[int, str, str]]:
    with server.store.read() as session:
        return [(e.seq, e.kind, e.text) for e in scan_events.after(session, scan_id, after)]


def test_what_is_said_is_kept_in_order_and_made_harmless(server: AccessServer, job: Job) -> None:
    said = Progress(server.store, job)
    said.say("phase", "install")
    said.say("step", "a\x1b[31m b\x00\n" + "x" * 1_000)
    assert texts(server, job.scan_id) == []
    said._write()
    (_, _, first), (number, kind, second) = texts(server, job.scan_id)
    assert (first, number, kind, len(second)) == ("install", 2, "step", 300)
    assert second.isprintable()


def test_a_scan_has_so_many_events_whatever_is_said(
    server: AccessServer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MAX_EVENTS", 60)
    said = Progress(server.store, job)
    for number in range(10):
        for word in range(200):
            said.say("step", f"{number} {word}")
        said._write()
    found = texts(server, job.scan_id)
    assert [number for number, _, _ in found] == list(range(1, 61))
    assert found[0][2] == "0 150", "what was too much at once is forgotten, the oldest first"


def test_a_thread_of_its_own_writes_and_the_rest_is_written_at_the_end(
    server: AccessServer, job: Job
) -> None:
    with Progress(server.store, job) as said:
        said.step("0")
        wait_for(lambda: len(texts(server, job.scan_id)) == 1)
        for number in range(1, 5):
            said.step(str(number))
    assert [text for _, _, text in texts(server, job.scan_id)] == ["0", "1", "2", "3", "4"]


def test_who_lost_the_scan_speaks_of_it_no_more(server: AccessServer, job: Job) -> None:
    with Progress(server.store, replace(job, lease="another")) as old:
        old.say("step", "I am still here")
    assert texts(server, job.scan_id) == []


def test_a_try_that_died_and_the_next_are_told(server: AccessServer, job: Job) -> None:
    token = server.token("follows-tries", (Role.VIEWER, OWN))
    with Progress(server.store, job) as said:
        said.say("phase", "install")
    queue = server.queue
    with server.store.write() as session:
        session.execute(update(JobRow).values(lease_until=1))
    assert queue.requeue_expired() == 1
    second = queue.claim("w")
    assert second is not None
    assert queue.retry(second, "The gateway was killed.", killed=True)
    third = queue.claim("w")
    assert third is not None
    queue.release(third)
    last = queue.claim("w")
    assert last is not None
    queue.fail(last, "No.", 70)
    with server.store.write() as session:
        assert queue.rerun(session, job.scan_id)
    told = texts(server, job.scan_id)
    assert told == [
        (1, "phase", "install"),
        (2, "again", "The worker fell silent during this scan. It waits to be tried again."),
        (3, "try", "Try 2 begins."),
        (4, "again", "The gateway was killed. It waits to be tried again."),
        (5, "try", "Try 3 begins."),
        (6, "again", "The worker gave the scan back. It waits to be tried again."),
        (7, "try", "Try 3 begins."),
        (8, "again", "It had failed through a fault of ours. It waits to be tried again."),
    ]
    steps = server.ask(token, "GET", f"/api/v1/scans/{job.scan_id}/steps").json()["items"]
    assert [(one["seq"], one["kind"], one["text"]) for one in steps] == told


def test_what_becomes_of_a_scan_is_said_beyond_a_workers_words_but_not_for_ever(
    server: AccessServer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MAX_EVENTS", 2)
    monkeypatch.setattr(scan_events, "MAX_SAID", 4)
    with Progress(server.store, job) as said:
        for number in range(5):
            said.step(str(number))
    for _ in range(4):
        server.queue.release(job)
        again = server.queue.claim("w")
        assert again is not None
        job = again
    assert [number for number, _, _ in texts(server, job.scan_id)] == [1, 2, 3, 4]


def test_a_store_that_is_gone_hinders_no_scan(server: AccessServer, job: Job) -> None:
    said = Progress(server.store, job)
    said.say("step", "one")
    real, server.store.write = server.store.write, _broken  # type: ignore[method-assign]
    said._write()
    server.store.write = real  # type: ignore[method-assign]
    said.say("step", "two")
    said._write()
    assert [text for _, _, text in texts(server, job.scan_id)] == ["two"]


def _broken() -> Any:
    raise progress.StoreError("gone", "")


def events(text: str) -> list[tuple[str, int | None, Any]]:
    """Name, id and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            number = int(lines["id"]) if "id" in lines else None
            found.append((lines["event"], number, json.loads(lines["data"])))
    return found


def test_who_follows_hears_all_of_it_and_the_end(server: AccessServer, job: Job) -> None:
    """Of a scan under way: half before, half while it is followed."""
    token = server.token("follows", (Role.VIEWER, OWN))
    said = Progress(server.store, job)
    said.say("phase", "install")
    said._write()

    async def follow() -> str:
        task = asyncio.create_task(_ask(server, token, job.scan_id))
        await asyncio.sleep(3 * feed.TICK_SECONDS)
        said.say("Evil\nevent: x", "import")
        await asyncio.to_thread(said._write)
        await asyncio.sleep(3 * feed.TICK_SECONDS)
        await asyncio.to_thread(server.queue.finish, job, made_report(str(job.scan_id)))
        return (await task).text

    found = events(asyncio.run(follow()))
    assert [(name, number) for name, number, _ in found] == [
        ("phase", 1),
        ("status", None),
        ("step", 2),
        ("status", None),
        ("end", None),
    ]
    assert [d["status"] for n, _, d in found if n == "status"] == ["running", "finished"]
    assert found[2][2]["text"] == "import"
    assert (found[-1][2]["id"], found[-1][2]["verdict"]) == (str(job.scan_id), "no_findings")


async def _ask(server: AccessServer, token: str, scan_id: uuid.UUID, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=server.app)
    headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as client:
        return await client.get(f"/api/v1/scans/{scan_id}/events", headers=headers, **more)


def test_who_comes_back_hears_what_he_missed(server: AccessServer, job: Job) -> None:
    token = server.token("returns", (Role.VIEWER, OWN))
    said = Progress(server.store, job)
    for number in range(5):
        said.say("step", str(number))
    said._write()
    server.queue.finish(job, made_report(str(job.scan_id)))
    for more, first in (
        ({}, 1),
        ({"headers": {"Last-Event-ID": "3"}}, 4),
        ({"params": {"after": "4"}}, 5),
        ({"headers": {"Last-Event-ID": "2"}, "params": {"after": "4"}}, 3),
    ):
        answer = asyncio.run(_ask(server, token, job.scan_id, **more))
        numbers = [number for _, number, _ in events(answer.text) if number is not None]
        assert numbers == list(range(first, 6)), more
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert events(answer.text)[-1][0] == "end"


@pytest.mark.parametrize("number", ["x", "-1", "9999999999", "1 2"])
def test_what_is_no_number_of_an_event(server: AccessServer, job: Job, number: str) -> None:
    token = server.token("wrong", (Role.VIEWER, OWN))
    answer = asyncio.run(_ask(server, token, job.scan_id, headers={"Last-Event-ID": number}))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_foreign_scan_is_not_followed(server: AccessServer) -> None:
    job, token = _job(server, FOREIGN), server.token("stranger", (Role.VIEWER, OWN))
    assert asyncio.run(_ask(server, token, job.scan_id)).status_code == 404


def test_many_followers_hold_no_thread_and_no_connection(
    server: AccessServer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_OF_ACCOUNT", 200)
    token, pool = server.token("many", (Role.VIEWER, OWN)), server.store.engine.pool
    held: list[int] = []

    async def run() -> list[httpx.Response]:
        tasks = [asyncio.create_task(_ask(server, token, job.scan_id)) for _ in range(150)]
        while server.app.state.service.feed._accounts.total() < 150:
            await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0.1)
            held.append(pool.checkedout())  # type: ignore[attr-defined]
        await asyncio.to_thread(server.queue.finish, job, made_report(str(job.scan_id)))
        return await asyncio.gather(*tasks)

    answers = asyncio.run(run())
    assert all(events(answer.text)[-1][0] == "end" for answer in answers)
    assert sorted(held)[len(held) // 2] <= 1, "of 150 followers, at most one question at a time"


def test_too_many_followers_of_one_account_are_refused(
    server: AccessServer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_OF_ACCOUNT", 2)
    token = server.token("greedy", (Role.VIEWER, OWN))

    async def run() -> tuple[httpx.Response, list[httpx.Response]]:
        tasks = [asyncio.create_task(_ask(server, token, job.scan_id)) for _ in range(2)]
        while server.app.state.service.feed._accounts.total() < 2:
            await asyncio.sleep(0.01)
        refused = await _ask(server, token, job.scan_id)
        server.app.state.service.feed.close()  # as when the server stops
        return refused, await asyncio.gather(*tasks)

    refused, ended = asyncio.run(run())
    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 10)
    assert [answer.status_code for answer in ended] == [200, 200]
    assert not any("event: end" in answer.text for answer in ended), "they are to come back"
