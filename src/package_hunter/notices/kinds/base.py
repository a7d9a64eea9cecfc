"""What all kinds have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from package_hunter.errors import HunterError
from package_hunter.notices.outbox import Event
from package_hunter.notices.outgoing import Answer, Outgoing
from package_hunter.notices.smtp import MailServer
from package_hunter.notices.wording import Message
from package_hunter.store.database import now_ms

_MAX_WAIT_MS = 86_400_000


class DestinationSettings(BaseModel):
    """Settings of a destination. ``SECRET`` names those that are stored encrypted and never shown."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    SECRET: ClassVar[frozenset[str]] = frozenset()

    kind: str

    def shown(self) -> str:
        """Where it leads to, without secrets."""
        raise NotImplementedError


OPENING = frozenset({Event.PROOF_FOUND, Event.PACKAGE_TURNED, Event.ACCEPTANCE_EXPIRES})
"""The events for which a tracker has an issue open; `Event.FINDING_RESOLVED` closes it. The others are about nothing
that could be resolved there."""


class NotDeliveredError(HunterError):
    """It was not taken. ``final``: it never will be; ``after`` (ms): not before that time has passed."""

    def __init__(self, message: str, final: bool = False, after: int = 0) -> None:
        super().__init__(message)
        self.final, self.after = final, after


class Issues(Protocol):
    """Which issue of this destination's tracker is about a finding (store: `notice_issues`)."""

    def known(self) -> str | None:
        """The tracker's name of the issue of the message's finding."""

    def settled_later(self) -> bool:
        """Whether the finding was settled by a notice that is younger than this one, which came first."""

    def note(self, remote: str | None, url: str | None, is_open: bool) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What senders work with."""

    outgoing: Outgoing
    mail: MailServer | None
    issues: Issues


Sender = Callable[[Message, Any, Tools], None]
"""Tells it; NotDeliveredError, NoAnswerError, RefusedError."""


def to_json(value: Any) -> bytes:
    """ASCII: no receiver has to guess an encoding."""
    return json.dumps(value, separators=(",", ":")).encode()


def require_success(answer: Answer) -> Answer:
    """The answer, if it says that it was taken; NotDeliveredError."""
    if 200 <= answer.status < 300:
        return answer
    if 300 <= answer.status < 400:
        raise NotDeliveredError(f"It answered {answer.status}: redirects are not followed.")
    raise NotDeliveredError(
        f"It answered {answer.status}.", final=answer.status == 410, after=_retry_after(answer.headers)
    )


def _retry_after(headers: Mapping[str, str]) -> int:
    """Milliseconds; at most a day, whatever is asked."""
    text = headers.get("retry-after", "").strip()
    try:
        if text.isascii() and text.isdigit() and len(text) < 10:
            wait = int(text) * 1000
        else:
            wait = int(parsedate_to_datetime(text).timestamp() * 1000) - now_ms()
    except (ValueError, OverflowError, TypeError):
        return 0
    return max(0, min(wait, _MAX_WAIT_MS))


def read_json(answer: Answer) -> Any:
    """The answer's JSON; NotDeliveredError where it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise NotDeliveredError("Its answer is no JSON.") from error
