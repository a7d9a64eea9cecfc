"""The duties that follow a result: the one list that names them. Whoever imports this has said so to the store."""

from __future__ import annotations

from package_hunter.inventory import after_scan
from package_hunter.store import results
from package_hunter.triage import projection

AFTER_RESULT: tuple[results.AfterResult, ...] = (projection.after_result, after_scan.note)

results.use(AFTER_RESULT)
