"""Chat: Slack (and what speaks its form), Mattermost, Microsoft Teams; one template each.

Formats: Slack's Block Kit with ``plain_text`` objects, in which nothing is markup; Mattermost's incoming webhooks,
whose text is Markdown; Teams' workflows, which take an Adaptive Card (1.4) whose ``TextRun`` is no markup either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from package_hunter.notices.addresses import Url, origin
from package_hunter.notices.kinds.base import DestinationSettings, Tools, require_success, to_json
from package_hunter.notices.outgoing import Asked
from package_hunter.notices.wording import Message, footer, sentences, title

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SLACK_TEXT = 2_900  # of 3,000 in a section's text


class _Chat(DestinationSettings):
    """The address is the secret: whoever knows it can write there."""

    SECRET = frozenset({"url"})

    url: Url

    def shown(self) -> str:
        """See DestinationSettings."""
        return origin(self.url)


class Slack(_Chat):
    """An incoming webhook of Slack, or of anything that takes its form."""

    kind: Literal["slack"] = "slack"


class Mattermost(_Chat):
    """An incoming webhook of Mattermost."""

    kind: Literal["mattermost"] = "mattermost"


class Teams(_Chat):
    """A workflow of Microsoft Teams that posts to a channel when a webhook request is received."""

    kind: Literal["teams"] = "teams"


def slack(message: Message) -> dict[str, Any]:
    """``text`` is what notifications show: there ``<!channel>`` would be a mention, so its signs are entities."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _slack_text(title(message)[:150])}]
    blocks += [
        {"type": "section", "text": _slack_text(f"{label}: {text}")} for label, text in sentences(message)
    ]
    blocks.append({"type": "context", "elements": [_slack_text(footer(message))]})
    return {"text": title(message).translate(_ENTITIES), "mrkdwn": False, "parse": "none", "blocks": blocks}


def _slack_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:_SLACK_TEXT], "emoji": False}


def mattermost(message: Message) -> dict[str, Any]:
    """Markdown of our own around escaped text."""
    lines = [f"#### {escaped(title(message))}"]
    lines += [f"**{label}:** {escaped(text)}" for label, text in sentences(message)]
    return {"text": "\n\n".join([*lines, f"*{escaped(footer(message))}*"])}


def escaped(text: str) -> str:
    """Text in which nothing is Markdown. A backslash does not keep ``@all`` from being a mention, a space does."""
    return _PUNCTUATION.sub(r"\\\1", text.replace("@", "@ "))


def teams(message: Message) -> dict[str, Any]:
    """A card."""
    body = [_run(title(message), weight="Bolder", size="Medium")]
    body += [_run(f"{label}: {text}") for label, text in sentences(message)]
    body.append(_run(footer(message), isSubtle=True))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _run(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


TEMPLATES: dict[str, Callable[[Message], dict[str, Any]]] = {
    "slack": slack,
    "mattermost": mattermost,
    "teams": teams,
}


def send(message: Message, to: Slack | Mattermost | Teams, tools: Tools) -> None:
    """See Sender."""
    headers = {"Content-Type": "application/json"}
    body = to_json(TEMPLATES[to.kind](message))
    require_success(tools.outgoing.send(Asked("POST", to.url, headers, body)))
