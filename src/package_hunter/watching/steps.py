"""What is known of a scan's steps: when the API took it, how each try went, when its result was stored.

Each process writes its part into one row of the store (so a trace spans machines); the row is counted when the result
is stored, told once as a trace where that is set up, and then emptied. What was written there is read as what it is:
whoever could write the store's file may have put it there.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL
from package_hunter.model.priority import Priority
from package_hunter.model.report import Report
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import JobRow, Scan
from package_hunter.store.watching_tables import StepsRow
from package_hunter.watching import figures
from package_hunter.watching.stopwatch import MAX_LAPS, Lap, step_of

log = structlog.get_logger(__name__)

MAX_TRIES = 10
_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_WORDS = [one.word for one in Priority]
_MAX_NS = 1 << 62
_MAX_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Accepted:
    """How the API took a scan: from ``begin`` to ``end`` (ns since the epoch); ``parent``: the caller's own span, a
    ``traceparent`` (W3C Trace Context), empty where he has none."""

    begin: int
    end: int
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a scan by a worker: from its claim to its end, without what came after."""

    number: int
    begin: int
    end: int
    failed: bool
    laps: tuple[Lap, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """All that is known of one scan; ``stored``: when its result was (ns since the epoch; 0: it has none);
    ``priority``: how it waited, `Priority.word`."""

    accepted: Accepted | None = None
    tries: tuple[Try, ...] = ()
    stored: int = 0
    priority: str = Priority.NORMAL.word


def parent_of(header: str | None) -> str:
    """A request's ``traceparent`` where it is one of version 00; else empty."""
    text = (header or "").strip()
    return text if _PARENT.fullmatch(text) else ""


def note_accepted(session: Session, scan: uuid.UUID, accepted: Accepted) -> None:
    """The scan is to have a trace: in the transaction that stores it."""
    session.add(StepsRow(scan_id=scan, due=now_ms(), body=_text(Steps(accepted))))
    session.flush()


def note_try(store: Store, scan: uuid.UUID, one: Try, *, traced: bool) -> None:
    """Keep how a try went; ``traced``: the scan is to have a trace, whoever took it. A store that fails costs this
    knowledge, never the scan."""
    try:
        with store.write() as session:
            row = session.get(StepsRow, scan) or StepsRow(scan_id=scan, due=now_ms() if traced else None)
            known = read(row.body)
            waited = session.scalar(select(JobRow.priority).where(JobRow.scan_id == scan))
            tries = (*known.tries, one)[-MAX_TRIES:]
            row.body = _text(replace(known, tries=tries, priority=_word(waited, known.priority)))
            session.add(row)
    except StoreError as error:
        log.warning("a try's times were not kept", scan=str(scan), error=str(error))


def after_result(session: Session, scan: Scan, report: Report) -> None:
    """A step of `store.results.AFTER_RESULT`, the last: count the scan, once. A result that is made anew of a recording
    is no further scan; a drill's is none of anybody's."""
    row = session.get(StepsRow, scan.id) or StepsRow(scan_id=scan.id, counted=False)
    session.add(row)
    if row.counted:
        return
    row.counted = True
    known, now = read(row.body), now_ms() * 1_000_000
    tries = known.tries
    if tries:
        stored = Lap("store", tries[-1].end, max(now, tries[-1].end))
        tries = (*tries[:-1], _with(tries[-1], stored))
    if scan.project_id != DRILL:
        _count(session, scan, report, replace(known, tries=tries))
    row.body = None if row.due is None else _text(replace(known, tries=tries, stored=now))
    session.flush()


def _with(one: Try, lap: Lap) -> Try:
    return Try(one.number, one.begin, lap.end, one.failed, (*one.laps, lap))


def _word(number: int | None, else_: str) -> str:
    return Priority(number).word if number in set(Priority) else else_


def _count(session: Session, scan: Scan, report: Report, steps: Steps) -> None:
    known = "known" if report.known_from is not None else "run"
    said = (steps.priority, report.verdict.value, report.decision.value, known)
    figures.add(session, figures.RESULTS, said)
    if scan.started is not None:
        figures.add(session, figures.WAITS, (steps.priority,), max(0, scan.started - scan.created) / 1000)
    taken: dict[str, float] = {}
    for lap in steps.tries[-1].laps if steps.tries else ():
        taken[lap.step] = taken.get(lap.step, 0.0) + lap.seconds
    for step, seconds in taken.items():
        figures.add(session, figures.STEPS, (step,), seconds)


def _text(steps: Steps) -> str:
    return json.dumps(asdict(steps), separators=(",", ":"))


def read(text: str | None) -> Steps:
    """What a row says, within its limits; what cannot be read is nothing."""
    if text is None or len(text) > _MAX_TEXT:
        return Steps()
    try:
        data = json.loads(text)
        said = data.get("accepted")
        return Steps(
            None
            if said is None
            else Accepted(_ns(said["begin"]), _ns(said["end"]), parent_of(said["parent"])),
            tuple(_try(one) for one in data.get("tries", ())[:MAX_TRIES]),
            _ns(data.get("stored", 0)),
            said_priority if (said_priority := data.get("priority")) in _WORDS else Priority.NORMAL.word,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Steps()


def _try(said: dict[str, Any]) -> Try:
    laps = tuple(
        Lap(step_of(str(lap["step"])), _ns(lap["begin"]), _ns(lap["end"]), bool(lap["failed"]))
        for lap in said["laps"][: MAX_LAPS + 1]
    )
    return Try(int(said["number"]), _ns(said["begin"]), _ns(said["end"]), bool(said["failed"]), laps)


def _ns(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MAX_NS:
        raise ValueError(value)
    return value
