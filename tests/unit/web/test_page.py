"""What somebody sees where there is no page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN
from tests.support.pages_server import PagesServer

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("page"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def viewer(server: PagesServer) -> str:
    return server.token("viewer", (Role.VIEWER, OWN))


@pytest.mark.parametrize(
    "path", ["/nothing", "/scan/1", "/%3Cb%3E", "/scans/1/more", "/.well-known/change-password"]
)
def test_a_mistyped_address_is_told_on_a_page(server: PagesServer, viewer: str, path: str) -> None:
    answer = server.ask(viewer, "GET", path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no such page." in answer.text
    assert 'href="/overview"' in answer.text, "the way on"
    assert "<b>" not in answer.text


@pytest.mark.parametrize("path", ["/people/nobody", "/rules/x", "/workers/x", "/scans/1/more"])
@pytest.mark.parametrize("accept", ["*/*", ""])
def test_a_mistyped_address_among_pages_is_told_on_a_page(
    server: PagesServer, viewer: str, path: str, accept: str
) -> None:
    answer = server.ask(viewer, "GET", path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_who_is_not_signed_in_signs_in_first(server: PagesServer) -> None:
    answer = server.ask(None, "GET", "/nothing", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fnothing")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nothing", {}),
        ("/nothing", {"Accept": "*/*"}),
        ("/api/v1/nothing", BROWSER),
        ("/people/nobody", {"Accept": "application/json"}),
    ],
)
def test_programs_are_answered_as_programs(
    server: PagesServer, viewer: str, path: str, headers: dict[str, str]
) -> None:
    answer = server.ask(viewer, "GET", path, headers=headers)
    assert answer.status_code == 404
    assert "json" in answer.headers["content-type"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/people", 403, "Your roles are at Settings"),
        ("/rule-sets", 404, "There is no such page."),
        (f"/projects/{uuid.UUID(int=1)}", 404, "It may be gone, or lie where your account may not look."),
        ("/scans/none", 404, "It may be deleted, or lie where the account may not look."),
        ("/rules/explain?name=Git+hook+writen", 404, "Did you mean"),
    ],
)
def test_advice_is_such_as_people_can_follow(
    server: PagesServer, viewer: str, path: str, status: int, said: str
) -> None:
    answer = server.ask(viewer, "GET", path, headers=BROWSER)
    assert answer.status_code == status
    assert said in answer.text
    assert "/api/v1" not in answer.text
