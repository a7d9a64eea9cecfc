"""Jira issues: one a finding, on Cloud and Data Center."""

from __future__ import annotations

import base64
import re

import pytest

from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.jira import Jira, label, send
from package_hunter.notices.outbox import Event
from tests.support.receivers import Book, Told, hostile_message, message, receiver, tools
from tests.support.trackers import FakeJira

BASIC = f"Basic {base64.b64encode(b'ana@example.org:t0ken').decode()}"
CLOUD = {"user": "ana@example.org", "token": "t0ken"}
DATA_CENTER = {"token": "t0ken"}


def _to(url: str, **more: str) -> Jira:
    return Jira(**{"url": url, "project": "SEC"} | (more or CLOUD))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("jira", "login"),
    [(FakeJira(BASIC), CLOUD), (FakeJira("Bearer t0ken", cloud=False), DATA_CENTER)],
    ids=["cloud", "data center"],
)
def test_opened_once_told_again_closed_and_opened_again(jira: FakeJira, login: dict[str, str]) -> None:
    book = Book()
    with receiver(jira) as there:
        to = _to(there.url, **login)
        for event in (Event.PROOF_FOUND, Event.PACKAGE_TURNED):
            send(message(event), to, tools(issues=book))
        assert [i["key"] for i in jira.issues] == ["SEC-1"]
        assert len(jira.comments) == 1
        send(message(Event.FINDING_RESOLVED), to, tools(issues=book))
        assert (jira.issues[0]["done"], book.open) == (True, False)
        send(message(), to, tools(issues=book))
        assert (len(jira.issues), jira.issues[0]["done"], book.open) == (1, False, True)
        assert book.url == f"{there.url}/browse/SEC-1"
    fields = jira.issues[0]["fields"]
    assert fields["labels"] == ["package-hunter", label(message())]
    assert fields["issuetype"] == {"name": "Task"}


def test_an_issue_whose_answer_was_lost_is_found_by_its_label() -> None:
    jira, book = FakeJira(BASIC), Book()
    jira.lose_next_answer = True
    with receiver(jira) as there:
        with pytest.raises(NotDeliveredError, match="502"):
            send(message(), _to(there.url), tools(issues=book))
        send(message(), _to(there.url), tools(issues=book))
    assert (len(jira.issues), book.remote) == (1, "SEC-1")


def test_a_workflow_without_a_way_is_told() -> None:
    jira, book = FakeJira(BASIC), Book()

    def answer(got: object) -> Told:
        if str(getattr(got, "path", "")).endswith("/transitions"):
            return Told(
                200, b'{"transitions": [{"id": "1; DROP", "to": {"statusCategory": {"key": "done"}}}, 7]}'
            )
        return jira(got)  # type: ignore[arg-type]

    with receiver(answer) as there:  # type: ignore[arg-type]
        send(message(), _to(there.url), tools(issues=book))
        with pytest.raises(NotDeliveredError, match="no way to close"):
            send(message(Event.FINDING_RESOLVED), _to(there.url), tools(issues=book))
    assert book.open is True


def test_a_test_asks_for_the_project_and_writes_nothing() -> None:
    with receiver(FakeJira(BASIC)) as there:
        send(message(Event.TEST, fingerprint=None), _to(there.url), tools())
        with pytest.raises(NotDeliveredError, match="401"):
            send(message(Event.TEST, fingerprint=None), _to(there.url, **DATA_CENTER), tools())
    assert {got.method for got in there.got} == {"GET"}


def test_hostile_text_is_no_markup_or_mention() -> None:
    jira = FakeJira(BASIC)
    with receiver(jira) as there:
        send(hostile_message(), _to(there.url), tools(issues=Book()))
    text = jira.issues[0]["fields"]["description"]
    inner = re.sub(r"^\*[A-Za-z ]+:\* ", "", text, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[\[\]{}*|!~^]", inner.replace("\\\\", ""))
    assert "\n" not in jira.issues[0]["fields"]["summary"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"key": "../../x"}', b'{"key": 1}', b'{"key": "sec-1"}']
)
def test_an_answer_that_is_no_issue_is_a_failure(body: bytes) -> None:
    def answer(got: object) -> Told:
        return Told(200, b'{"issues": []}' if getattr(got, "method", "") == "GET" else body)

    book = Book()
    with receiver(answer) as there, pytest.raises(NotDeliveredError):  # type: ignore[arg-type]
        send(message(), _to(there.url), tools(issues=book))
    assert book.open is None


@pytest.mark.parametrize(
    "wrong",
    [{"project": 'SEC" OR 1=1'}, {"project": "sec"}, {"user": "a:b"}, {"user": "a b"}, {"token": "\n"}],
)
def test_settings_that_would_mean_something_else(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Jira(**{"url": "https://jira.example", "project": "SEC", **CLOUD} | wrong)  # type: ignore[arg-type]
