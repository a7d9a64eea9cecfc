"""How the history's chain stands, for who reads it: is it sealed, and do the newest entries fit their seals.

What the API's process says here it could be made to say: signatures, and checkpoints that were kept elsewhere, are
checked by `package-hunter audit verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.audit.chain import START, Seal, digest
from package_hunter.audit.verify import ALARM_MS, verify
from package_hunter.store.database import now_ms
from package_hunter.store.history_tables import HistoryRow, SealRow, UnsealedRow

NEWEST = 200
"""So many seals are looked at where not all of them are."""
_MAX_TOLD = 100


@dataclass(slots=True)
class Standing:
    """``sealed``, ``waiting``, ``checked``: entries; times in ms since the epoch; ``problems``: sentences."""

    sealed: int = 0
    waiting: int = 0
    waits_since: int | None = None
    last_sealed: int | None = None
    digest: str | None = None
    key: str | None = None
    checked: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def says(self) -> str:
        """All of it in a sentence."""
        if self.problems:
            return f"The history is not what was sealed: {len(self.problems)} places do not fit."
        if not self.sealed and not self.waiting:
            return "Nothing is in the history yet."
        if self.waits_since is not None and self.waits_since < now_ms() - ALARM_MS:
            return f"The sealer does not work: {self.waiting} entries wait for their seal. Look at the server's log."
        if not self.sealed:
            return f"{self.waiting} entries wait for their seal."
        what = "all entries" if self.checked == self.sealed else f"the newest {self.checked} entries"
        return f"Sealed, and {what} fit their seals."


def of(session: Session, whole: bool = False) -> Standing:
    """Now. ``whole``: all seals are looked at, not only the `NEWEST`."""
    last = session.scalar(select(SealRow).order_by(SealRow.position.desc()).limit(1))
    waiting, since = session.execute(select(func.count(), func.min(UnsealedRow.time))).one()
    found = Standing(waiting=int(waiting), waits_since=since)
    if last is not None:
        found.sealed, found.last_sealed = last.position, last.sealed
        found.digest, found.key = last.digest, last.key
    if whole:
        looked = verify(session, None)
        found.checked, found.problems = looked.entries, looked.problems[:_MAX_TOLD]
    else:
        _check_newest(session, found)
    return found


def _check_newest(session: Session, found: Standing) -> None:
    query = (
        select(SealRow, HistoryRow)
        .outerjoin(HistoryRow, HistoryRow.id == SealRow.entry_id)
        .order_by(SealRow.position.desc())
        .limit(NEWEST + 1)  # the last one is what the first one follows
    )
    rows: list[tuple[SealRow, HistoryRow | None]] = [(one[0], one[1]) for one in session.execute(query)]
    for at, (seal, row) in enumerate(rows[:NEWEST]):
        before = rows[at + 1][0] if at + 1 < len(rows) else None
        previous = START if before is None else before.digest
        found.checked += 1
        if (0 if before is None else before.position) != seal.position - 1:
            found.problems.append(f"Position {seal.position - 1}: its seal is removed.")
        elif row is None:
            found.problems.append(f"Position {seal.position}: entry {seal.entry_id} is removed.")
        elif digest(row, Seal(seal.position, previous)) != seal.digest:
            found.problems.append(f"Position {seal.position}: entry {row.id} is not what was sealed there.")
