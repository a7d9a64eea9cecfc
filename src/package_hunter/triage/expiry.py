"""Acceptances that are over: their findings ask again."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.store.finding_tables import FindingRow
from package_hunter.triage import held
from package_hunter.triage.chain import Chains
from package_hunter.triage.values import State

_AT_ONCE = 1_000


def expire(session: Session, day: dt.date) -> int:
    """Let findings ask again whose acceptance is over on that day; how many those were. (What policies make of them
    needs no clock: `triage.decide` looks at the day itself.)"""
    query = (
        select(FindingRow)
        .where(FindingRow.state == State.ACCEPTED.value, FindingRow.until < day.isoformat())
        .order_by(FindingRow.project_id)
        .limit(_AT_ONCE)
    )
    found, chains = session.scalars(query).all(), Chains(session)
    for project, group in groupby(found, key=lambda row: row.project_id):
        held.restate(session, chains.of(project), list(group), day)
    session.flush()
    return len(found)
