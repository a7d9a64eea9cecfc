"""Two people before the same finding: the second is told what the first decided, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from package_hunter.access.roles import Role
from tests.support.access_server import OWN
from tests.support.pages_server import PagesServer

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("finding"))
    yield made
    made.close()


def test_a_page_that_was_opened_before_somebody_decided_sets_nothing(server: PagesServer) -> None:
    ana, ben = (server.token(name, (Role.ANALYST, OWN)) for name in ("ana", "ben"))
    url = f"/findings/{server.findings[OWN]}"
    before = {who: dict(_HIDDEN.findall(server.ask(who, "GET", url).text)) for who in (ana, ben)}
    form = {"reason": "other", "scope": "project"}
    first = {**before[ana], **form, "state": "confirmed", "remark": "it is one"}
    assert _post(server, ana, url, first) == 303
    late = {**before[ben], **form, "state": "resolved", "remark": "gone, I think"}
    answer = server.ask(ben, "POST", f"{url}/state", content=urlencode(late), headers=_FORM)
    assert answer.status_code == 409
    assert "token:ana" in answer.text and "gone, I think" in answer.text
    again = {**late, **dict(_HIDDEN.findall(answer.text))}
    assert _post(server, ben, url, again) == 303, "he has seen it now"


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _post(server: PagesServer, who: str, url: str, form: dict[str, str]) -> int:
    return server.ask(who, "POST", f"{url}/state", content=urlencode(form), headers=_FORM).status_code
