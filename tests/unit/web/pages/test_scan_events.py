"""A scan's page of events: where a recording is kept, it can be looked into."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.access.roles import Role
from package_hunter.report.sample import sample
from tests.support.access_server import OWN
from tests.support.archives import keep
from tests.support.bundle_samples import BEGAN, recording
from tests.support.pages_server import PagesServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("pages"), recordings_bytes=1 << 20)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""))


@pytest.fixture(scope="module")
def scan(server: PagesServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    report = sample()
    first = replace(report.processes[0], pid=8, started_ns=BEGAN, ended_ns=None)
    made = server.ended(replace(report, processes=(first, *report.processes[1:])))
    file: Path = tmp_path_factory.mktemp("scap") / f"{made}.scap"
    keep(server.store, uuid.UUID(made), recording(file, scan=made, events=250))
    return made


def _page(server: PagesServer, who: str, scan: str, **query: str) -> tuple[int, str]:
    answer = server.ask(who, "GET", f"/scans/{scan}/events", params=query)
    return answer.status_code, answer.text


def test_the_recording_has_what_the_report_has_not(server: PagesServer, lead: str, scan: str) -> None:
    _, told = _page(server, lead, scan, condition="evt.type = close")
    assert "No event fits." in told
    code, page = _page(server, lead, scan, condition="evt.type = close", **{"in": "recording"})
    assert code == 200
    assert page.count(">close res=0 fd=0<") == 200
    assert "250 events of 250 events; the first 200 are shown" in page
    assert '<option value="recording" selected>' in page
    assert f"/scans/{scan}/processes#p1" in page, "each leads to its process"
    assert f"/api/v1/scans/{scan}/recorded?condition=evt.type+%3D+close" in page
    assert len(page) < 150_000


def test_a_wrong_condition_is_told_and_stays(server: PagesServer, lead: str, scan: str) -> None:
    code, page = _page(server, lead, scan, condition="proc.nme = <b>x", **{"in": "recording"})
    assert code == 400
    assert "proc.nme = &lt;b&gt;x" in page
    assert 'role="alert"' in page
    assert '<option value="recording" selected>' in page


def test_who_may_not_fetch_recordings_is_not_offered_them(server: PagesServer, lead: str, scan: str) -> None:
    viewer = server.token("viewer", (Role.VIEWER, OWN))
    for query in ({}, {"in": "recording"}):
        code, page = _page(server, viewer, scan, **query)
        assert code == 200
        assert "close res=0" not in page
        assert 'value="recording"' not in page
    other = server.ended(sample())
    code, page = _page(server, lead, other, **{"in": "recording"})
    assert (code, 'value="recording"' in page, "none is kept of this scan" in page) == (200, False, True)
