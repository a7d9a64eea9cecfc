"""The duties that follow a result: the one list that names them. Whoever imports this has said so to the store."""

from __future__ import annotations

from package_hunter.drill import run
from package_hunter.inventory import after_scan
from package_hunter.store import results
from package_hunter.triage import projection
from package_hunter.watching import steps

AFTER_RESULT: tuple[results.AfterResult, ...] = (
    projection.after_result,
    after_scan.note,
    run.after_result,
    steps.after_result,  # the last: it says when all was stored
)

results.use(AFTER_RESULT)
