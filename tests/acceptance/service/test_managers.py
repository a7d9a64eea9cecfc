"""What the command line takes as an ecosystem, the server takes too: by any of its managers' names, on both routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from package_hunter.model.ecosystem import names
from tests.support.service_harness import ARCHIVE, Running, open_folder, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder:
        limits = {"max_pending_scans": 200, "submissions_per_minute": 1000}
        with running(folder, mode="serve-only", **limits) as made:
            yield made


@pytest.mark.parametrize("manager", ["npm", "uv", "poetry", "gem", "bundler", "pypi"])
def test_a_name_is_taken(server: Running, manager: str) -> None:
    posted = server.client.post(f"/monitor/project/{manager}", content=b"x", headers=ARCHIVE)
    assert (posted.status_code, posted.json()["status"]) == (200, "ok")
    posted = server.client.post(f"/api/v1/scans?ecosystem={manager}", content=b"x", headers=ARCHIVE)
    assert posted.status_code == 202


def test_whatever_a_scan_takes_is_taken(server: Running) -> None:
    assert {"npm", "yarn", "pnpm", "pip", "uv", "poetry", "bundler", "gem"} <= set(names())
    for manager in names():
        posted = server.client.post(f"/monitor/project/{manager}", content=b"x", headers=ARCHIVE)
        assert posted.status_code == 200, manager


@pytest.mark.parametrize("manager", ["cargo", "NPM", "npm ", "uv2", "%00"])
def test_another_is_refused_and_those_that_there_are_are_named(server: Running, manager: str) -> None:
    original = server.client.post(f"/monitor/project/{manager}", content=b"x", headers=ARCHIVE)
    own = server.client.post(f"/api/v1/scans?ecosystem={manager}", content=b"x", headers=ARCHIVE)
    assert (original.status_code, own.status_code) == (404, 400)
    for answer in (original, own):
        assert "uv" in answer.text and "bundler" in answer.text and "npm" in answer.text


def test_the_description_names_them(server: Running) -> None:
    told = server.client.get("/api/v1/openapi.json").text
    assert f"One of {', '.join(names())}" in told
