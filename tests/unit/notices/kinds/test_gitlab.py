"""GitLab issues: one a finding."""

from __future__ import annotations

import re

import pytest

from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.gitlab import GitLab, send
from package_hunter.notices.outbox import Event
from tests.support.receivers import Book, Told, hostile_message, message, receiver, tools
from tests.support.trackers import FakeGitLab


def _to(url: str, **more: str) -> GitLab:
    return GitLab(**{"url": url, "project": "web/shop", "token": "glpat-x"} | more)  # type: ignore[arg-type]


def test_opened_once_told_again_closed_and_opened_again() -> None:
    gitlab, book = FakeGitLab(), Book()
    with receiver(gitlab) as there:
        for event in (Event.PROOF_FOUND, Event.PROOF_FOUND):
            send(message(event), _to(there.url), tools(issues=book))
        assert [(i["iid"], i["state"], i["confidential"]) for i in gitlab.issues] == [(1, "opened", True)]
        assert len(gitlab.notes) == 1
        send(message(Event.FINDING_RESOLVED), _to(there.url), tools(issues=book))
        assert (gitlab.issues[0]["state"], book.open) == ("closed", False)
        send(message(), _to(there.url), tools(issues=book))
    assert ([i["state"] for i in gitlab.issues], book.open, book.remote) == (["opened"], True, "1")
    assert book.url == "https://gitlab.example/-/issues/1"


def test_an_issue_whose_answer_was_lost_is_found_by_its_mark() -> None:
    gitlab, book = FakeGitLab(), Book()
    gitlab.lose_next_answer = True
    with receiver(gitlab) as there:
        with pytest.raises(NotDeliveredError, match="502"):
            send(message(), _to(there.url), tools(issues=book))
        assert book.remote is None
        send(message(), _to(there.url), tools(issues=book))
    assert (len(gitlab.issues), book.remote) == (1, "1")


def test_another_issue_that_quotes_the_fingerprint_is_not_taken_for_it() -> None:
    gitlab = FakeGitLab()
    gitlab.issues.append({"iid": 1, "state": "opened", "description": f"see {'ab12' * 8}", "web_url": "x"})
    with receiver(gitlab) as there:
        send(message(), _to(there.url), tools(issues=Book()))
    assert [i["iid"] for i in gitlab.issues] == [1, 2]


def test_what_was_settled_meanwhile_is_not_opened() -> None:
    gitlab, book = FakeGitLab(), Book()
    with receiver(gitlab) as there:
        send(message(Event.FINDING_RESOLVED), _to(there.url), tools(issues=book))
        assert (gitlab.issues, book.open, book.remote) == ([], False, None)
        book.later = True
        send(message(), _to(there.url), tools(issues=book))
    assert gitlab.issues == []


@pytest.mark.parametrize("event", [Event.PROPOSAL_WAITS, Event.BREAK_GLASS, Event.GATE_BLOCKED])
def test_what_is_about_no_finding_is_no_issue(event: Event) -> None:
    with receiver(FakeGitLab()) as there:
        send(message(event), _to(there.url), tools())
        send(message(Event.PROOF_FOUND, fingerprint=None), _to(there.url), tools())
    assert there.got == []


def test_a_test_asks_for_the_project_and_writes_nothing() -> None:
    gitlab = FakeGitLab()
    with receiver(gitlab) as there:
        send(message(Event.TEST, fingerprint=None), _to(there.url), tools())
        for wrong in ({"token": "other"}, {"project": "web/other"}):
            with pytest.raises(NotDeliveredError):
                send(message(Event.TEST, fingerprint=None), _to(there.url, **wrong), tools())
    assert {got.method for got in there.got} == {"GET"}


def test_hostile_text_is_no_markup_mention_or_command() -> None:
    gitlab = FakeGitLab()
    with receiver(gitlab) as there:
        send(hostile_message(), _to(there.url), tools(issues=Book()))
    text = gitlab.issues[0]["description"]
    lines = [line for line in text.splitlines() if line]
    assert all(re.match(r"\*\*[A-Z][a-z ]+[a-z]:\*\* |<sub>|`package-hunter ", line) for line in lines)
    inner = re.sub(r"^\*\*[A-Za-z ]+:\*\* |</?sub>|@<!-- -->", "", text, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[\[\]*<>@]", inner)
    assert not re.search(r"@\w", gitlab.issues[0]["title"])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"iid": "1"}', b'{"iid": -1}', b'{"iid": true}', b"[" * 100_000, b"\xff"]
)
def test_an_answer_that_is_no_issue_is_a_failure(body: bytes) -> None:
    def answer(got: object) -> Told:
        return Told(200, b"[]" if getattr(got, "method", "") == "GET" else body)

    book = Book()
    with receiver(answer) as there, pytest.raises(NotDeliveredError):  # type: ignore[arg-type]
        send(message(), _to(there.url), tools(issues=book))
    assert book.open is None


@pytest.mark.parametrize("token", ["", "a\r\nX: y", "a b", "é"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        _to("https://gitlab.example", token=token)
