"""The list of people: a page at a time, found by name."""

from __future__ import annotations

import re
import uuid
from html import unescape
from pathlib import Path

from package_hunter.access.roles import Role
from package_hunter.store.access_tables import Account
from tests.support.access_server import OWN
from tests.support.pages_server import PagesServer


def test_many_people_come_a_page_at_a_time_and_are_found_by_name(tmp_path: Path) -> None:
    server = PagesServer(tmp_path)
    boss = server.token("boss", (Role.ADMINISTRATOR, ""))
    with server.store.write() as session:
        for number in range(250):
            key = uuid.uuid4()
            account = Account(id=key, name=f"user-{number:03d}", kind="user", created=1, person=key)
            account.home = server.ids[OWN]
            session.add(account)
    seen: list[str] = []
    path, pages = "/people", 0
    while path:
        page = server.ask(boss, "GET", path).text
        assert len(page) < 80_000
        seen += re.findall(r'<td><a href="/people/account\?name=(user-\d+)"', page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        path, pages = unescape(further[1]) if further else "", pages + 1
    assert (seen, pages) == ([f"user-{n:03d}" for n in range(250)], 3)
    found = server.ask(boss, "GET", "/people", params={"text": "USER-04"}).text
    assert found.count('<td><a href="/people/account') == 10
    nobody = server.ask(boss, "GET", "/people", params={"text": "<b>"}).text
    assert "Nobody of that name." in nobody
    assert "<b>" not in nobody
    server.close()
