"""Jira issues (REST API v2, which Cloud and Data Center share): one a finding, by a label that names it.

Cloud took ``/search`` away in 2025 and gave ``/search/jql``; Data Center has only the old one: both are asked.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from package_hunter.notices.addresses import Url, origin
from package_hunter.notices.kinds.base import (
    OPENING,
    DestinationSettings,
    NotDeliveredError,
    Tools,
    read_json,
    require_success,
    to_json,
)
from package_hunter.notices.kinds.gitlab import Label, Token
from package_hunter.notices.outbox import Event
from package_hunter.notices.outgoing import Answer, Asked
from package_hunter.notices.wording import Message, footer, sentences, title

_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,50}-[0-9]{1,12}")
_ID = re.compile(r"[0-9]{1,12}")
_MARKUP = re.compile(r"([\\{}\[\]()*_?!|#^~+@:&-])")


class Jira(DestinationSettings):
    """A project whose issues are to be about our findings."""

    SECRET = frozenset({"token"})

    kind: Literal["jira"] = "jira"
    url: Annotated[Url, Field(description="Of Jira itself: `https://example.atlassian.net`.")]
    project: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,50}$", description="The project's key.")]
    token: Annotated[Token, Field(description="An API token (with `user`), or a personal access token.")]
    user: Annotated[
        str | None,
        Field(max_length=254, pattern=r"^[^:\x00-\x20]+$", description="Whose API token it is (Cloud)."),
    ] = None
    issue_type: Annotated[str, Field(min_length=1, max_length=60)] = "Task"
    labels: list[Annotated[Label, Field(pattern=r"^[^,\s]+$")]] = Field(
        default=["package-hunter"], max_length=20
    )

    def shown(self) -> str:
        """See DestinationSettings."""
        return f"{origin(self.url)} {self.project}"


def label(message: Message) -> str:
    """The label that names the finding of this place; Jira's labels have no spaces."""
    digest = hashlib.sha256(f"{message.place}\n{message.notice.fingerprint}".encode("utf-8", "replace"))
    return f"package-hunter-{digest.hexdigest()[:24]}"


def escaped(text: str) -> str:
    """Text in which nothing is Jira's wiki markup."""
    return _MARKUP.sub(r"\\\1", text)


def send(message: Message, to: Jira, tools: Tools) -> None:
    """See Sender."""
    tracker = _Tracker(to, tools)
    if message.event is Event.TEST:
        tracker.ask("GET", f"/project/{to.project}")
    elif message.notice.fingerprint is None:
        return
    elif message.event is Event.FINDING_RESOLVED:
        _settle(tracker, message, tools)
    elif message.event in OPENING and not tools.issues.settled_later():
        _open(tracker, message, tools)


class _Tracker:
    def __init__(self, to: Jira, tools: Tools) -> None:
        self.to, self._tools = to, tools
        self._base = f"{to.url.rstrip('/')}/rest/api/2"

    def try_to(self, method: str, path: str, body: Any = None) -> Answer:
        """Whatever it answers."""
        data = b"" if body is None else to_json(body)
        return self._tools.outgoing.send(Asked(method, f"{self._base}{path}", self._headers(), data))

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """An answer that says that it went well; NotDeliveredError."""
        return require_success(self.try_to(method, path, body))

    def _headers(self) -> dict[str, str]:
        if self.to.user is None:
            who = f"Bearer {self.to.token}"
        else:
            pair = f"{self.to.user}:{self.to.token}".encode()
            who = f"Basic {base64.b64encode(pair).decode()}"
        return {"Authorization": who, "Content-Type": "application/json", "Accept": "application/json"}

    def find(self, message: Message) -> str | None:
        """The key of the issue that has the finding's label, the oldest where there are several."""
        words = f'project = "{self.to.project}" AND labels = "{label(message)}" ORDER BY created ASC'
        query = f"jql={quote(words, safe='')}&maxResults=1&fields=labels"
        answer = self.try_to("GET", f"/search/jql?{query}")
        if answer.status in (404, 405):
            answer = self.try_to("GET", f"/search?{query}")
        found = read_json(require_success(answer))
        issues = found.get("issues") if isinstance(found, dict) else None
        if not isinstance(issues, list):
            raise NotDeliveredError("Its answer is no list of issues.")
        return _key(issues[0]) if issues else None

    def move(self, key: str, done: bool) -> None:
        """To a status of the category *done*, or out of it; NotDeliveredError where its workflow has no such way."""
        found = read_json(self.ask("GET", f"/issue/{key}/transitions"))
        ways = found.get("transitions") if isinstance(found, dict) else None
        for way in ways if isinstance(ways, list) else ():
            if _is_done(way) is done and _ID.fullmatch(str(way.get("id"))):
                self.ask("POST", f"/issue/{key}/transitions", {"transition": {"id": str(way["id"])}})
                return
        raise NotDeliveredError(f"The workflow of its issues has no way to {'close' if done else 'reopen'}.")

    def is_done(self, key: str) -> bool:
        """Whether the issue is closed."""
        found = read_json(self.ask("GET", f"/issue/{key}?fields=status"))
        fields = found.get("fields") if isinstance(found, dict) else None
        return _is_done({"to": fields.get("status")}) if isinstance(fields, dict) else False


def _is_done(way: Any) -> bool:
    try:
        return bool(way["to"]["statusCategory"]["key"] == "done")
    except (KeyError, TypeError):
        return False


def _open(tracker: _Tracker, message: Message, tools: Tools) -> None:
    key = tools.issues.known() or tracker.find(message)
    if key is None:
        key = _key(read_json(tracker.ask("POST", "/issue", _new(tracker.to, message))))
    else:
        if tracker.is_done(key):
            tracker.move(key, done=False)
        tracker.ask("POST", f"/issue/{key}/comment", {"body": _told(message)})
    tools.issues.note(key, f"{tracker.to.url.rstrip('/')}/browse/{key}", True)


def _settle(tracker: _Tracker, message: Message, tools: Tools) -> None:
    key = tools.issues.known() or tracker.find(message)
    if key is not None and not tracker.is_done(key):
        tracker.ask("POST", f"/issue/{key}/comment", {"body": _told(message)})
        tracker.move(key, done=True)
    url = None if key is None else f"{tracker.to.url.rstrip('/')}/browse/{key}"
    tools.issues.note(key, url, False)


def _new(to: Jira, message: Message) -> dict[str, Any]:
    return {
        "fields": {
            "project": {"key": to.project},
            "issuetype": {"name": to.issue_type},
            "summary": title(message),
            "description": _told(message),
            "labels": [*to.labels, label(message)],
        }
    }


def _told(message: Message) -> str:
    lines = [f"*{name}:* {escaped(text)}" for name, text in sentences(message)]
    return "\n\n".join([*lines, escaped(footer(message))])


def _key(data: Any) -> str:
    """The key of an issue; nothing else of the answer is believed."""
    key = str(data.get("key")) if isinstance(data, dict) else ""
    if not _KEY.fullmatch(key):
        raise NotDeliveredError("Its answer is no issue.")
    return key
