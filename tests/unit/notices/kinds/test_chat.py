"""Chat: nothing that an attacker chose is markup, a mention or a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from package_hunter.notices.kinds.base import NotDeliveredError
from package_hunter.notices.kinds.chat import TEMPLATES, Mattermost, Slack, Teams, escaped, send
from tests.support.receivers import Told, hostile_message, message, receiver, tools

KINDS = {"slack": Slack, "mattermost": Mattermost, "teams": Teams}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("kind", list(KINDS))
def test_it_is_posted(kind: str) -> None:
    with receiver() as there:
        send(message(), KINDS[kind](url=f"{there.url}/services/T/B/x"), tools())
    (got,) = there.got
    said = " ".join(_texts(got.json)).replace("\\", "")
    for part in ("Proof of malice in web/shop", "left-pad 1.3.0", "rotate npm tokens", "/api/v1/scans/1"):
        assert part in said


@pytest.mark.parametrize("kind", list(KINDS))
def test_hostile_text_is_visible_and_leads_nowhere(kind: str) -> None:
    for text in _texts(TEMPLATES[kind](hostile_message())):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "https://evil" not in text
        assert "www.evil" not in text


def test_slack_shows_it_as_plain_text() -> None:
    made = TEMPLATES["slack"](hostile_message())
    assert (made["mrkdwn"], made["parse"]) == (False, "none")
    objects = [b["text"] for b in made["blocks"] if "text" in b]
    objects += [e for b in made["blocks"] for e in b.get("elements", ())]
    assert {(o["type"], o["emoji"]) for o in objects} == {("plain_text", False)}
    assert all(0 < len(o["text"]) <= 3_000 for o in objects)
    assert not re.search(r"[<>]", made["text"])


def test_mattermost_has_no_markup_but_its_own() -> None:
    text = TEMPLATES["mattermost"](hostile_message())["text"]
    for line in text.split("\n\n"):
        inner = re.fullmatch(r"(?:#### |\*\*[A-Za-z ]+:\*\* |\*)(.*?)\*?", line)
        assert inner is not None
        assert re.sub(r"\\[!-/:-@\[-`{-~]", "", inner[1]).replace(" ", "").isalnum()
    assert not re.search(r"@\w", text)


def test_teams_takes_runs_of_text() -> None:
    (attachment,) = TEMPLATES["teams"](hostile_message())["attachments"]
    blocks = attachment["content"]["body"]
    assert {b["type"] for b in blocks} == {"RichTextBlock"}
    assert {i["type"] for b in blocks for i in b["inlines"]} == {"TextRun"}


def test_escaping_leaves_letters_and_numbers() -> None:
    assert escaped("left-pad 1.3.0") == r"left\-pad 1\.3\.0"
    assert escaped("@all") == r"\@ all"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_refusal_is_one(kind: str) -> None:
    with receiver(lambda _: Told(403, b"invalid_token")) as there, pytest.raises(NotDeliveredError) as caught:
        send(message(), KINDS[kind](url=f"{there.url}/services/secret"), tools())
    assert "secret" not in str(caught.value)
    assert KINDS[kind](url=f"{there.url}/services/secret").shown() == f"{there.url}/…"
