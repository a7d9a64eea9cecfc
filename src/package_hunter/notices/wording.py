"""What people read: the same plain sentences for every target. The packages' names and texts in them were chosen by
whoever made the package: nothing of that becomes markup, a mention, a link, or invisible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from package_hunter.notices.outbox import Event, Notice
from package_hunter.report.harmless import defang, harmless

_TITLES = {
    Event.PROOF_FOUND: "Proof of malice",
    Event.FINDING_RESOLVED: "Finding settled",
    Event.GATE_BLOCKED: "Merge blocked",
    Event.PROPOSAL_WAITS: "Approval asked for",
    Event.BREAK_GLASS: "Break glass used",
    Event.ACCEPTANCE_EXPIRES: "Accepted risk ends",
    Event.PACKAGE_TURNED: "Package turned malicious",
    Event.DRILL_FAILED: "Standing drill failed",
    Event.TEST: "Test",
}
_LABELS = (
    ("what", "What happened"),
    ("who", "Who did it"),
    ("how", "How we know"),
    ("todo", "What to do"),
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s<>\"']+|\bwww\.[^\s<>\"']+", re.IGNORECASE)
_MAX_SHOWN = 1_000
_MAX_TITLE = 180


@dataclass(frozen=True, slots=True)
class Message:
    """A notice on its way. ``id`` is the same with each try and each destination; ``place`` is the path of the project
    or group (empty: all); ``link`` where to look, absolute if the server knows its own address."""

    id: str
    event: Event
    time: datetime
    place: str
    notice: Notice
    link: str = ""


def title(message: Message) -> str:
    """One line: of which kind, and where. Paths of projects are the server's own words, packages' names are not."""
    where = f" in {message.place}" if message.place else ""
    return harmless(f"Package Hunter: {_TITLES[message.event]}{where}", _MAX_TITLE)


def sentences(message: Message) -> list[tuple[str, str]]:
    """Label and sentence of each part that there is, harmless to show, addresses in a form that nobody opens."""
    told = [(label, _shown(getattr(message.notice, name))) for name, label in _LABELS]
    told.append(("Where to look", harmless(message.link, _MAX_SHOWN)))
    return [(label, text) for label, text in told if text]


def _shown(text: str) -> str:
    return _URL.sub(lambda hit: defang(hit.group()), harmless(text, _MAX_SHOWN))


def footer(message: Message) -> str:
    """When it was, and its id."""
    when = message.time.astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC, notice {message.id}"


def plain_text(message: Message) -> str:
    """The whole as lines of text."""
    lines = [f"{label}: {text}" for label, text in sentences(message)]
    return "\n".join([*lines, "", footer(message)])
