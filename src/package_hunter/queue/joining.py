"""The same work, in flight already: the later scan waits for the earlier one's end, and is given its result.

The same is: one account's, in one project, of the same bytes or package, as deep, with the same rule sets, and neither
asked for a fresh result. (Of what has ended, `queue.reuse` knows more, and less: a key of every file.) Projects and
accounts join nobody else's scan, so nothing tells them of one. Where the earlier scan gives no result, whatever the
cause, the later one is run.
"""

from __future__ import annotations

import hashlib
import json
import uuid

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from package_hunter.access.view import EVERYTHING
from package_hunter.config import Settings
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.queue.base import Job
from package_hunter.store import rule_sets, scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import JobRow, Scan


def join(session: Session, scan: Scan, row: JobRow, settings: Settings) -> None:
    """Note what the job is, and which scan of the same it waits for, if any."""
    if not settings.result_cache_seconds:
        return  # every scan is run
    row.work = _work(session, scan)
    if scan.fresh:
        return
    same = select(JobRow).where(JobRow.work == row.work, JobRow.joined.is_(None), JobRow.cancel.is_(None))
    leader = session.scalar(same.order_by(JobRow.enqueued, JobRow.scan_id).limit(1))
    if leader is None:
        return
    row.joined = leader.scan_id
    if leader.lease is None:  # whoever waits for it must not wait longer than he would alone
        leader.priority = max(leader.priority, row.priority)
    else:
        row.deadline = None


def begun(session: Session, leader: uuid.UUID) -> None:
    """Whoever waits for this one has been begun with it: no deadline is missed any more."""
    in_time = JobRow.joined == leader, JobRow.deadline > now_ms()
    session.execute(update(JobRow).where(*in_time).values(deadline=None))


def joined_result(store: Store, job: Job) -> Report | None:
    """The result of the scan that this job waited for, where it has one."""
    if job.joined is None:
        return None
    query = select(Scan.id).where(
        Scan.id == job.joined,
        Scan.submitter == job.submitter,
        Scan.project_id == job.project,
        Scan.status == ScanStatus.FINISHED.value,
        Scan.verdict != Verdict.INCONCLUSIVE.value,
    )
    with store.read() as session:
        found = session.scalar(query)
        data = None if found is None else scans.report(session, EVERYTHING, found)
    return None if data is None else from_json(data)


def _work(session: Session, scan: Scan) -> str:
    rules = rule_sets.of_project(session, scan.project_id)
    what = [scan.submitter, scan.project_id.hex, scan.sha256, scan.purl, scan.manager, scan.depth, rules]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
