"""Findings, as the API answers them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import cast

from sqlalchemy.orm import Session

from package_hunter.access.view import DRILL, View
from package_hunter.api.finding_schemas import (
    FindingDetails,
    FindingInfo,
    FlipInfo,
    ImpactInfo,
    NoteInfo,
    RefusedInfo,
    Severity,
    StateInfo,
)
from package_hunter.api.transactions import as_time, maybe_time
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Verdict
from package_hunter.store import places
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow, NoteRow, StateRow
from package_hunter.triage import claims, listing, results, states
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.bulk import Refused
from package_hunter.triage.chain import Chains, scope_name
from package_hunter.triage.decide import Outcome
from package_hunter.triage.impact import Impact
from package_hunter.triage.values import Asks, Reason, State


def infos(session: Session, view: View, rows: Sequence[FindingRow]) -> list[FindingInfo]:
    """Each with what the policy makes of it in its newest scan."""
    found = results.of_scans(session, list(dict.fromkeys(row.last_scan for row in rows)))
    outcomes = {(scan, o.fingerprint): o for scan, result in found.items() for o in result.outcomes}
    keys = {row.project_id for row in rows}
    paths = places.paths_of(session, view, keys)
    return [
        _info(row, outcomes.get((row.last_scan, row.fingerprint)), paths.get(row.project_id, ""))
        for row in rows
    ]


def _info(row: FindingRow, outcome: Outcome | None, path: str) -> FindingInfo:
    return FindingInfo(
        id=str(row.id),
        fingerprint=row.fingerprint,
        project=str(row.project_id),
        path=path,
        kind=row.kind,
        severity=cast("Severity", SEVERITIES[row.severity]),
        proof=row.proof,
        verdict=Verdict(row.verdict),
        confidence=row.confidence,
        title=row.title,
        package=row.package,
        state=State(row.state),
        asks=None if row.asks is None else Asks(row.asks),
        until=_day(row.until),
        detected=row.detected,
        decision=None if outcome is None else outcome.decision,
        silenced=None if outcome is None else outcome.silenced,
        rule=None if outcome is None else outcome.rule,
        warned=[] if outcome is None else list(outcome.warned),
        claimed_by=claims.holder_of(row, now_ms()),
        claimed_until=maybe_time(row.claimed_until) if claims.holder_of(row, now_ms()) else None,
        first_seen=as_time(row.first_seen),
        last_seen=as_time(row.last_seen),
        first_scan=str(row.first_scan),
        last_scan=str(row.last_scan),
        scans=row.scans,
        drill=row.project_id == DRILL,
    )


def details(session: Session, view: View, row: FindingRow) -> FindingDetails:
    """All that people need to decide."""
    chains, info = Chains(session), infos(session, view, [row])[0]
    place = chains.of(row.project_id)[-1]
    return FindingDetails(
        **info.model_dump(),
        set=_state(listing.state_of(session, row), chains, row.project_id),
        changed=list(listing.changes(session, row)),
        behaviour=row.behaviour_digest,
        subjects=list(Behaviour.from_json(row.behaviour).subjects),
        needs_proposal=states.why_not(session, place, row, chains),
    )


def _state(row: StateRow | None, chains: Chains, project: uuid.UUID) -> StateInfo | None:
    if row is None:
        return None
    scope = next((scope_name(p) for p in chains.of(project) if p.key == row.place), row.place)
    return StateInfo(
        state=State(row.state),
        scope=scope,
        reason=None if row.reason is None else Reason(row.reason),
        remark=row.remark,
        until=_day(row.until),
        proposal=row.proposal,
        who=row.who,
        time=as_time(row.time),
    )


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def impact_info(impact: Impact) -> ImpactInfo:
    """What a change would do."""
    flips = [
        FlipInfo(
            scan=str(flip.scan),
            project=str(flip.project),
            what=flip.line,
            before=flip.before,
            after=flip.after,
            verdict_before=flip.verdict_before,
            verdict_after=flip.verdict_after,
        )
        for flip in impact.flips
    ]
    return ImpactInfo(
        tried=impact.tried,
        not_tried=impact.not_tried,
        milder=impact.milder,
        stricter=impact.stricter,
        flips=flips,
    )


def refused_info(refused: Sequence[Refused]) -> list[RefusedInfo]:
    """What stays as it is."""
    return [RefusedInfo(id=str(r.finding), fingerprint=r.fingerprint, why=r.why) for r in refused]


def note_info(row: NoteRow) -> NoteInfo:
    """A note."""
    parent = None if row.parent_id is None else str(row.parent_id)
    return NoteInfo(id=str(row.id), parent=parent, who=row.who, time=as_time(row.time), text=row.text)
