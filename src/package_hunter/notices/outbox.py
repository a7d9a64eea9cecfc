"""The outbox: what happened is written in the transaction in which it happens; the deliverer tells it afterwards.

So nothing is told that was rolled back, and nothing is lost that was committed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL
from package_hunter.store.database import now_ms
from package_hunter.store.notice_tables import MAX_ONCE, NoticeRow

_MAX_SENTENCE = 2_000
_MAX_FACTS = 32 << 10
_DRILL = "THIS IS A DRILL: a harmless package that the server submitted to itself."


class Event(StrEnum):
    """What teams can be told of."""

    PROOF_FOUND = "proof.found"
    FINDING_RESOLVED = "finding.resolved"
    GATE_BLOCKED = "gate.blocked"
    PROPOSAL_WAITS = "proposal.waits"
    BREAK_GLASS = "break-glass.used"
    ACCEPTANCE_EXPIRES = "acceptance.expires"
    PACKAGE_TURNED = "package.turned-malicious"
    DRILL_FAILED = "standing-drill.failed"
    TEST = "test"  # asked for by `notices test`; goes to that destination alone

    @property
    def tells_those_below(self) -> bool:
        """Of a group (or of all): whether the destinations of what lies below are told, too."""
        return self is Event.BREAK_GLASS


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told, in plain sentences without any markup: each target escapes them its own way.

    ``look`` is a path of this server (``/api/v1/scans/ID``). ``fingerprint`` names the finding that it is about: its
    issue is opened once and closed again. ``facts`` are for machines (JSON): they go into webhooks alone.
    """

    what: str
    who: str = ""
    how: str = ""
    todo: str = ""
    look: str = ""
    fingerprint: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a notice is about: a project, a group, or (neither) all."""

    project: uuid.UUID | None = None
    group: uuid.UUID | None = None


EVERYWHERE = Scope()


def enqueue(
    session: Session, event: Event, about: uuid.UUID | Scope, notice: Notice, once: str | None = None
) -> uuid.UUID:
    """Have it told, once this transaction is committed; the notice's id, which each delivery of it carries.

    ``about`` is a project's id, or a `Scope`. What has the same ``once`` (at most 200 characters; begin it with the
    event's name) as an earlier notice is not told again.
    """
    scope = about if isinstance(about, Scope) else Scope(project=about)
    if scope.project == DRILL:
        notice = _of_drill(notice)
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "event": event.value,
        "project_id": scope.project,
        "group_id": scope.group,
        "time": now_ms(),
        "body": _json(notice),
        "once": None if once is None else once[:MAX_ONCE],
    }
    if once is None:
        session.execute(insert(NoticeRow).values(values))
        return uuid.UUID(str(values["id"]))
    # two that say the same at once come to one row, and neither transaction fails
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(NoticeRow).values(values).on_conflict_do_nothing(index_elements=["once"]))
    return session.scalars(select(NoticeRow.id).where(NoticeRow.once == values["once"])).one()


def _of_drill(notice: Notice) -> Notice:
    """Whatever is told of a drill says first that it is one: nobody is to rotate secrets for it."""
    facts = {**notice.facts, "drill": True}
    todo = "Nobody attacked. Show that you saw it: set the finding's state (confirmed or resolved)."
    return replace(notice, what=f"{_DRILL} {notice.what}", todo=todo, facts=facts)


def _json(notice: Notice) -> str:
    """ASCII, cut to its limits; a lone surrogate or NUL of a package's name does not keep it from being stored."""
    values = asdict(notice)
    for name in ("what", "who", "how", "todo", "look"):
        values[name] = values[name][:_MAX_SENTENCE]
    facts = json.dumps(dict(notice.facts), default=str)
    values["facts"] = json.loads(facts) if len(facts) <= _MAX_FACTS else {"left_out": "too long"}
    return json.dumps(values, separators=(",", ":"))


def read(row: NoticeRow) -> Notice:
    """The notice of a row; what cannot be read is told as such."""
    try:
        values = json.loads(row.body)
        texts = {name: str(values[name]) for name in ("what", "who", "how", "todo", "look")}
        mark = values["fingerprint"]
        return Notice(**texts, fingerprint=None if mark is None else str(mark), facts=dict(values["facts"]))
    except (ValueError, KeyError, TypeError):
        return Notice("This notice cannot be read: its row in the store is malformed.")
