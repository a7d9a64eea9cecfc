"""What drills showed: when it was last proven, how fast, and how long people took."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.drill import finding
from package_hunter.drill.run import FAILED, PROVEN, RUNNING, newest
from package_hunter.store.database import now_ms
from package_hunter.store.watching_tables import DrillRow

_DAY_MS, _MINUTE_MS = 86_400_000, 60_000
_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """A drill that failed: when it was begun (ms since the epoch), and why, a sentence."""

    begun: int
    said: str


@dataclass(frozen=True, slots=True)
class Overview:
    """``state``: of the last drill (``none``: there was none); times in ms since the epoch. ``seconds_to_block`` is of
    the drill that was proven last, ``minutes_until_decided`` of the last one that somebody decided on,
    ``undecided_minutes``: so long the newest that is proven has waited for a person. ``next``: when the next is due by
    itself; None: none is, or it depends on when the server came to work."""

    state: str
    begun: int | None
    scan: str | None
    commit: str | None
    fingerprint: str | None
    proven: int | None
    seconds_to_block: float | None
    minutes_until_decided: float | None
    decided_by: str | None
    undecided_minutes: float | None
    next: int | None
    failures: tuple[Failure, ...]

    @property
    def says(self) -> str:
        """In one sentence."""
        if self.state == "none":
            return "There was no drill yet."
        if self.state == RUNNING:
            return "A drill runs."
        if self.state == FAILED:
            return f"The last drill failed. {self.failures[0].said if self.failures else ''}".strip()
        waits = "" if self.undecided_minutes is None else " Nobody decided on its finding yet."
        return f"The last drill was blocked after {self.seconds_to_block or 0:.0f} s.{waits}"


def of(session: Session, settings: Settings) -> Overview:
    """As things stand."""
    last = newest(session)
    proven = _last(session, DrillRow.state == PROVEN)
    decided = _last(session, DrillRow.decided.is_not(None) & finding.by_person(DrillRow.decided_by))
    until, by = _decision(session, last, decided)
    failed = session.scalars(
        select(DrillRow).where(DrillRow.state == FAILED).order_by(DrillRow.begun.desc()).limit(_FAILURES)
    )
    return Overview(
        state="none" if last is None else last.state,
        begun=None if last is None else last.begun,
        scan=None if last is None else str(last.scan_id),
        commit=None if last is None else last.commit,
        fingerprint=None if last is None else last.fingerprint,
        proven=None if proven is None else proven.blocked,
        seconds_to_block=None if proven is None else _between(proven.begun, proven.blocked, 1_000),
        minutes_until_decided=until,
        decided_by=by,
        undecided_minutes=_waits(session, last),
        next=_next(settings, last),
        failures=tuple(Failure(row.begun, row.said or "") for row in failed),
    )


def _last(session: Session, which: object) -> DrillRow | None:
    query = select(DrillRow).where(which).order_by(DrillRow.begun.desc())  # type: ignore[arg-type]
    return session.scalar(query.limit(1))


def _decision(
    session: Session, last: DrillRow | None, known: DrillRow | None
) -> tuple[float | None, str | None]:
    """Minutes from the block to the first decision, and whose; of the newest drill as it stands now."""
    fresh = None if last is None or last.decided is not None else finding.decided(session, last)
    if last is not None and fresh is not None:
        return _between(last.blocked, fresh[0], _MINUTE_MS), fresh[1]
    if known is None:
        return None, None
    return _between(known.blocked, known.decided, _MINUTE_MS), known.decided_by


def _waits(session: Session, last: DrillRow | None) -> float | None:
    if last is None or last.state != PROVEN or finding.decided(session, last) is not None:
        return None
    return _between(last.blocked, now_ms(), _MINUTE_MS)


def _between(begin: int | None, end: int | None, unit: int) -> float | None:
    return None if begin is None or end is None else max(0, end - begin) / unit


def _next(settings: Settings, last: DrillRow | None) -> int | None:
    if settings.drill_days <= 0 or last is None:
        return None
    return last.begun + int(settings.drill_days * _DAY_MS)
