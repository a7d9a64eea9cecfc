"""Who is told of a drill that failed: the teams of all, since what protects everybody was not seen to work."""

from __future__ import annotations

from sqlalchemy.orm import Session

from package_hunter.notices.outbox import EVERYWHERE, Event, Notice, enqueue
from package_hunter.store.watching_tables import DrillRow


def tell_failure(session: Session, row: DrillRow) -> None:
    """In the transaction in which it failed; each drill once."""
    notice = Notice(
        what=f"The standing drill failed: a harmless attack was not seen to be blocked. {row.said or ''}".strip(),
        who="Nobody attacked: the server submitted the drill to itself.",
        how="A made-up commit with a package that steals a fake token was submitted; the gate must say block.",
        todo="Find out what stands still: workers, the box, the policy, waivers. Then: package-hunter drill run.",
        look="/api/v1/drill",
        facts={"drill": str(row.id), "scan": str(row.scan_id), "commit": row.commit},
    )
    enqueue(session, Event.DRILL_FAILED, EVERYWHERE, notice, once=f"{Event.DRILL_FAILED.value}:{row.id.hex}")
