"""What follows when a scan's result is stored, in the very transaction that stores it.

`duties.py` says which steps there are, in their order; a step that fails takes the result back with it, so that a
result and what is made of it are never told apart. A step trusts nothing of the report: it came out of a box.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from package_hunter.model.ecosystem import facts_of
from package_hunter.model.report import Report
from package_hunter.store.models import Scan

AfterResult = Callable[[Session, Scan, Report], None]

AFTER_RESULT: tuple[AfterResult, ...] = ()


def use(steps: tuple[AfterResult, ...]) -> None:
    """Say which steps there are; the last word counts."""
    global AFTER_RESULT
    AFTER_RESULT = steps


def stored(session: Session, scan: Scan, report: Report) -> None:
    """Take all steps. The scan's row has its new values, its report is in the session."""
    facts = facts_of(report.target.ecosystem)
    scan.ecosystem = scan.ecosystem if facts is None else facts.name
    session.flush()
    for step in AFTER_RESULT:
        step(session, scan, report)
