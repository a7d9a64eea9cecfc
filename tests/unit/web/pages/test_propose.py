"""Where a proposal begins: the place that the address names is chosen already."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from html import unescape

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import FOREIGN, OWN
from tests.support.pages_server import PagesServer

_CHOSEN = re.compile(r'<option value="([^"]*)" selected>([^<]*)')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("propose"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""))


@pytest.fixture(scope="module")
def analyst(server: PagesServer) -> str:
    return server.token("analyst", (Role.ANALYST, OWN))


def _links(page: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'<h2><a href="([^"]*)"', page)]


def test_a_project_is_chosen_on_every_form_that_it_leads_to(server: PagesServer, lead: str) -> None:
    place = f"project:{server.ids[OWN]}"
    page = server.ask(lead, "GET", f"/proposals/new?project={server.ids[OWN]}").text
    assert f"project {OWN}" in page
    links = _links(page)
    assert f"/policies/{server.ids[OWN]}" in links
    assert f"/findings?project={OWN.replace('/', '%2F')}" in links
    assert not any("role-mappings" in one for one in links), "they hold for the whole server"
    forms = [one for one in links if "place=" in one]
    assert len(forms) == 4
    for link in forms:
        chosen = dict(_CHOSEN.findall(server.ask(lead, "GET", link).text))
        assert chosen[place] == f"project {OWN}", link


def test_kinds_that_have_a_page_of_their_own_lead_there_with_the_place(
    server: PagesServer, lead: str
) -> None:
    for kind, there in (
        ("policy", f"/policies/{server.ids[OWN]}"),
        ("rule-set", f"/rules/try?place=project%3A{server.ids[OWN]}"),
    ):
        path = f"/proposals/new?kind={kind}&project={server.ids[OWN]}"
        assert server.ask(lead, "GET", path).headers["location"] == there
    assert server.ask(lead, "GET", "/proposals/new?kind=policy").headers["location"] == "/policies"


@pytest.mark.parametrize("place", ["everywhere", "group:1", "<b>", "project:" + "x" * 300, ""])
def test_no_place_is_made_up(server: PagesServer, lead: str, place: str) -> None:
    page = server.ask(lead, "GET", "/proposals/new", params={"place": place})
    assert page.status_code == 200
    assert "It is to hold in" not in page.text
    assert "<b>" not in page.text
    assert any("role-mappings" in one for one in _links(page.text))


def test_a_project_that_is_not_seen_is_none(server: PagesServer, analyst: str) -> None:
    for key in (server.ids[FOREIGN], uuid.UUID(int=7), "x"):
        assert server.ask(analyst, "GET", f"/proposals/new?project={key}").status_code == 404
    page = server.ask(analyst, "GET", f"/proposals/new?project={server.ids[OWN]}").text
    assert "It is to hold in" in page


def test_a_group_is_chosen_as_well(server: PagesServer, lead: str) -> None:
    group = OWN.split("/")[0]
    page = server.ask(lead, "GET", f"/proposals/new?place=group:{server.ids[group]}").text
    assert f"group {group}" in page
    assert f"/policies/{server.ids[group]}" in _links(page)
