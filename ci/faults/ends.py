"""How scans ended, counted in the database itself: a trigger notes each change of a scan's status and each report that
is stored, whoever makes it, so a result that is stored twice is seen though the second overwrites the first."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan

OVER = ("finished", "failed", "cancelled")
UNDISTURBED = "no_findings"
_TARGET_CODES = (3, 4)  # errors.py: nothing to scan, not all could be seen

_SQLITE = (
    "CREATE TABLE IF NOT EXISTS fault_ends (scan_id, what TEXT)",
    "CREATE TRIGGER IF NOT EXISTS fault_status AFTER UPDATE OF status ON scans WHEN NEW.status <> OLD.status "
    "BEGIN INSERT INTO fault_ends VALUES (NEW.id, NEW.status); END",
    "CREATE TRIGGER IF NOT EXISTS fault_report AFTER INSERT ON reports "
    "BEGIN INSERT INTO fault_ends VALUES (NEW.scan_id, 'report'); END",
    # a report in place of one; not the same one, moved out of its row into an artefact
    "CREATE TRIGGER IF NOT EXISTS fault_again AFTER UPDATE ON reports "
    "WHEN NOT (OLD.digest IS NULL AND NEW.digest IS NOT NULL) "
    "BEGIN INSERT INTO fault_ends VALUES (NEW.scan_id, 'report'); END",
)
_POSTGRES = (
    "CREATE TABLE IF NOT EXISTS fault_ends (scan_id uuid, what text)",
    "CREATE OR REPLACE FUNCTION fault_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO fault_ends VALUES (NEW.id, NEW.status); RETURN NEW; END $$",
    "CREATE OR REPLACE FUNCTION fault_report() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO fault_ends VALUES (NEW.scan_id, 'report'); RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER fault_status AFTER UPDATE OF status ON scans FOR EACH ROW "
    "WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION fault_status()",
    "CREATE OR REPLACE TRIGGER fault_report AFTER INSERT ON reports FOR EACH ROW EXECUTE FUNCTION fault_report()",
    "CREATE OR REPLACE TRIGGER fault_again AFTER UPDATE ON reports FOR EACH ROW "
    "WHEN (NOT (OLD.digest IS NULL AND NEW.digest IS NOT NULL)) EXECUTE FUNCTION fault_report()",
)


@dataclass(frozen=True, slots=True)
class End:
    """A scan as the store has it. ``ends`` and ``reports``: how often it came to an end, and got a report."""

    status: str
    verdict: str | None
    exit_code: int | None
    reason: str | None
    ends: int
    reports: int

    @property
    def doubled(self) -> bool:
        """Whether a result was stored more than once."""
        return self.ends > 1 or self.reports > 1


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the accepted scans (see `row.Row`); ``said``: a sentence for each that failed through us."""

    finished: int
    target: int
    ours: int
    waiting: int
    lost: int
    doubled: int
    said: tuple[str, ...]


def watch(store: Store) -> None:
    """Let the database note ends from now on."""
    with store.write() as session:
        for statement in _SQLITE if store.is_sqlite else _POSTGRES:
            session.execute(text(statement))


def ends(store: Store) -> dict[uuid.UUID, End]:
    """Every scan that the store has."""
    with store.read() as session:
        noted = _noted(session, store.is_sqlite)
        every = session.query(Scan).all()
        return {
            s.id: End(
                s.status,
                s.verdict,
                s.exit_code,
                s.reason,
                sum(what in OVER for what in noted.get(s.id, ())),
                sum(what == "report" for what in noted.get(s.id, ())),
            )
            for s in every
        }


def _noted(session: Session, is_sqlite: bool) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for scan_id, what in session.execute(text("SELECT scan_id, what FROM fault_ends")):
        found.setdefault(uuid.UUID(scan_id) if is_sqlite else scan_id, []).append(what)
    return found


def count(
    accepted: Iterable[uuid.UUID],
    found: Mapping[uuid.UUID, End],
    broken: frozenset[uuid.UUID] = frozenset(),
    may_wait: bool = False,
) -> Count:
    """What became of ``accepted``. ``broken``: those whose target is at fault, so that they must fail; any other must
    finish as undisturbed. ``may_wait``: some are left waiting on purpose."""
    finished = target = ours = waiting = lost = 0
    said = []
    for scan_id in accepted:
        end = found.get(scan_id)
        if end is None:
            lost += 1
            said.append(f"{scan_id}: not in the store")
        elif end.status not in OVER:
            waiting += may_wait
            lost += not may_wait
            if not may_wait:
                said.append(f"{scan_id}: still {end.status}")
        elif scan_id in broken and end.status == "failed" and end.exit_code in _TARGET_CODES:
            target += 1
        elif scan_id not in broken and (end.status, end.verdict) == ("finished", UNDISTURBED):
            finished += 1
        else:
            ours += 1
            said.append(f"{scan_id}: {end.status} {end.verdict or ''} ({(end.reason or 'no reason')[:200]})")
    doubled = sum(end.doubled for end in found.values())
    return Count(finished, target, ours, waiting, lost, doubled, tuple(said))


def by_status(store: Store) -> dict[str, int]:
    """How many scans there are by status."""
    with store.read() as session:
        return scans.counts(session)


_STALE = (
    "SELECT count(*) FROM jobs JOIN scans ON scans.id = jobs.scan_id "
    "WHERE scans.status NOT IN ('pending', 'running')"
)


_CARRIED = (
    "SELECT count(*) FROM procrastinate_jobs WHERE queue_name <> 'builtin' AND status IN ('todo', 'doing')"
)


def stale_jobs(store: Store) -> list[str]:
    """Rows of the queue whose scan has ended, and (where nothing waits or runs) jobs of procrastinate's, a sentence
    each."""
    with store.read() as session:
        found = {"jobs of scans that ended": session.scalar(text(_STALE))}
        if not store.is_sqlite and not session.scalar(text("SELECT count(*) FROM jobs")):
            found["jobs that procrastinate carries for nobody"] = session.scalar(text(_CARRIED))
    return [f"{number} {what}" for what, number in found.items() if number]
