"""GitLab issues (REST API v4): one a finding, closed when it is settled, opened again when it comes back.

Before an issue is made it is looked for by its mark, so that a delivery that was made and not noted makes no second.
Events that are about no finding are not told here.
"""

from __future__ import annotations

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
from package_hunter.notices.outbox import Event
from package_hunter.notices.outgoing import Answer, Asked
from package_hunter.notices.wording import Message, footer, sentences, title
from package_hunter.report.markdown import plain

Token = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[\x21-\x7e]+$")]
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^,\x00-\x1f]+$")]


class GitLab(DestinationSettings):
    """A project whose issues are to be about our findings."""

    SECRET = frozenset({"token"})

    kind: Literal["gitlab"] = "gitlab"
    url: Annotated[Url, Field(description="Of GitLab itself: `https://gitlab.example`.")]
    project: Annotated[str, Field(min_length=1, max_length=255, description="Path or number of the project.")]
    token: Annotated[Token, Field(description="An access token that may write issues (scope `api`).")]
    labels: list[Label] = Field(default=["package-hunter"], max_length=20)
    confidential: bool = Field(default=True, description="Whether only members see the issues.")

    def shown(self) -> str:
        """See DestinationSettings."""
        return f"{origin(self.url)} {self.project}"


def mark(message: Message) -> str:
    """What names the finding in an issue; its place is part of it: another project has its own."""
    return f"package-hunter {message.place} {message.notice.fingerprint}"


def send(message: Message, to: GitLab, tools: Tools) -> None:
    """See Sender."""
    base = f"{to.url.rstrip('/')}/api/v4/projects/{quote(to.project, safe='')}"
    tracker = _Tracker(base, to, tools)
    if message.event is Event.TEST:
        tracker.ask("GET", "")
    elif message.notice.fingerprint is None:
        return
    elif message.event is Event.FINDING_RESOLVED:
        _settle(tracker, message, tools)
    elif message.event in OPENING and not tools.issues.settled_later():
        _open(tracker, message, tools)


class _Tracker:
    """The project's part of the API."""

    def __init__(self, base: str, to: GitLab, tools: Tools) -> None:
        self._base, self.to, self._tools = base, to, tools

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """An answer that says that it went well; NotDeliveredError."""
        headers = {"PRIVATE-TOKEN": self.to.token, "Content-Type": "application/json"}
        data = b"" if body is None else to_json(body)
        asked = Asked(method, f"{self._base}{path}", headers, data)
        return require_success(self._tools.outgoing.send(asked))

    def find(self, message: Message) -> dict[str, Any] | None:
        """The issue that has the finding's mark, the oldest where there are several."""
        search = quote(str(message.notice.fingerprint), safe="")
        path = f"/issues?scope=all&in=description&search={search}&order_by=created_at&sort=asc&per_page=50"
        found = read_json(self.ask("GET", path))
        wanted = f"`{mark(message)}`"
        if not isinstance(found, list):
            raise NotDeliveredError("Its answer is no list of issues.")
        return next(
            (one for one in found if isinstance(one, dict) and wanted in str(one.get("description"))), None
        )


def _open(tracker: _Tracker, message: Message, tools: Tools) -> None:
    known = tools.issues.known()
    found = None if known is not None else tracker.find(message)
    if known is None and found is None:
        made = _issue(read_json(tracker.ask("POST", "/issues", _new(tracker.to, message))))
        tools.issues.note(made[0], made[1], True)
        return
    number, url = (known, None) if found is None else _issue(found)
    tracker.ask("PUT", f"/issues/{number}", {"state_event": "reopen"})
    tracker.ask("POST", f"/issues/{number}/notes", {"body": _told(message)})
    tools.issues.note(number, url, True)


def _settle(tracker: _Tracker, message: Message, tools: Tools) -> None:
    known = tools.issues.known()
    found = None if known is not None else tracker.find(message)
    number, url = (known, None) if found is None else _issue(found)
    if number is not None:
        tracker.ask("POST", f"/issues/{number}/notes", {"body": _told(message)})
        tracker.ask("PUT", f"/issues/{number}", {"state_event": "close"})
    tools.issues.note(number, url, False)


def _new(to: GitLab, message: Message) -> dict[str, Any]:
    text = f"{_told(message)}\n\n`{mark(message)}`"
    return {
        "title": title(message).replace("@", "@ "),
        "description": text,
        "labels": ",".join(to.labels),
        "confidential": to.confidential,
    }


def _told(message: Message) -> str:
    lines = [f"**{label}:** {plain(text, 1_500)}" for label, text in sentences(message)]
    return "\n\n".join([*lines, f"<sub>{plain(footer(message))}</sub>"])


def _issue(data: Any) -> tuple[str, str | None]:
    """Number and address of an issue; nothing else of the answer is believed."""
    number = data.get("iid") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1 << 53:
        raise NotDeliveredError("Its answer is no issue.")
    url = data.get("web_url")
    return str(number), url if isinstance(url, str) and len(url) <= 2_000 else None
