"""The route that tries rules on the recordings that a server keeps of a project's scans."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.recorded import ONE_AT_A_TIME, Recorded
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read, told
from package_hunter.errors import RuleFileError
from package_hunter.model.text import well_formed
from package_hunter.pipeline import tryout
from package_hunter.queue import recordings
from package_hunter.rules import RuleSet, builtin_files
from package_hunter.rules.document import read_file
from package_hunter.rules.load import load_texts
from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.models import Scan

MAX_TEXT, MAX_SCANS = 256 << 10, 20
_OWN = "rules"


class TryBody(BaseModel):
    """Rules to be tried."""

    model_config = ConfigDict(extra="forbid")

    rules: str = Field(max_length=MAX_TEXT, description="A rule file's text (YAML).")
    builtin: bool = Field(default=True, description="It may use the built-in rules' macros.")
    scans: int = Field(default=10, ge=1, le=MAX_SCANS, description="So many of the newest.")


class AlertInfo(BaseModel):
    """What a rule would have told."""

    time: dt.datetime
    rule: str
    priority: str
    output: str


class TriedScan(BaseModel):
    """A scan whose recording was replayed."""

    scan: str
    target: str
    created: dt.datetime
    events: int
    alerts: int
    shown: list[AlertInfo] = Field(description="The first fifty.")


class RuleCount(BaseModel):
    """How often a rule matched."""

    rule: str
    alerts: int


class TriedRules(BaseModel):
    """What the rules did on recordings, the built-in ones left out. A replay has no network and no host facts."""

    kept: bool = Field(description="Whether this server keeps recordings (PACKAGE_HUNTER_RECORDINGS_BYTES).")
    tried: int
    not_tried: int = Field(description="Recordings that did not fit the time, or cannot be read.")
    events: int
    microseconds: float | None = Field(
        description="That these rules took for an event; null: there was none."
    )
    rules: list[RuleCount]
    scans: list[TriedScan]


def routes(service: Service) -> APIRouter:
    """The one."""
    builtin = [(path.name, read_file(path)) for path in builtin_files()]
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["rules"])

    @router.post(
        "/rules/try",
        summary="Try rules on kept recordings of a project's scans",
        description="An alert's output can show anything of a recording: it takes what fetching one takes.",
    )
    async def try_rules(
        request: Request,
        asked: TryBody,
        project: Annotated[
            str | None,
            Query(max_length=MAX_PATH, description="The project's path; unset: the account's own."),
        ] = None,
    ) -> TriedRules:
        place = await service.target_project(access_to(request), project, Permission.SAMPLE_READ)
        texts = [*(builtin if asked.builtin else []), (_OWN, asked.rules)]
        async with ONE_AT_A_TIME:
            scans, sizes = await read(service, lambda s: _kept(s, place, asked.scans))
            return await run_sync(lambda: _tried(Recorded(service, sizes), _ruleset(texts), scans))

    return router


def _kept(session: Session, project: uuid.UUID, most: int) -> tuple[list[Scan], dict[uuid.UUID, int]]:
    ids = recordings.recorded(session, project, most)
    found = [scan for key in ids if (scan := session.get(Scan, key)) is not None]
    session.expunge_all()
    return found, recordings.sizes(session, ids)


def _ruleset(texts: list[tuple[str, str]]) -> RuleSet:
    with told():
        loaded = load_texts(texts)
        if loaded.errors:
            first = loaded.errors[0]
            raise RuleFileError(f"The rules cannot be loaded: {first}", "POST /api/v1/rules/check tells all.")
        return tryout.only(loaded, _OWN)


def _tried(kept: Recorded, ruleset: RuleSet, scans: list[Scan]) -> TriedRules:
    """What the rules do there."""
    done, shown = [], []
    for scan in scans:
        with told():
            found = kept.ask(scan.id, lambda files: tryout.try_on(ruleset, files))
        if found is not None:
            done.append(found)
            shown.append(_scan(scan, found))
    events, counts = sum(one.events for one in done), Counter[str]()
    for one in done:
        counts.update(one.counts)
    spent = sum(one.nanoseconds for one in done)
    return TriedRules(
        kept=kept.are_kept,
        tried=len(done),
        not_tried=len(scans) - len(done) if kept.are_kept else 0,
        events=events,
        microseconds=round(spent / events / 1_000, 3) if events else None,
        rules=[RuleCount(rule=rule.name, alerts=counts[rule.name]) for rule in ruleset.rules],
        scans=shown,
    )


def _scan(scan: Scan, found: tryout.Tried) -> TriedScan:
    return TriedScan(
        scan=str(scan.id),
        target=scan.target,
        created=as_time(scan.created),
        events=found.events,
        alerts=sum(found.counts.values()),
        shown=[
            AlertInfo(
                time=dt.datetime.fromtimestamp(one.time_ns / 1e9, dt.UTC),
                rule=one.rule,
                priority=one.priority,
                output=well_formed(one.output),
            )
            for one in found.shown
        ],
    )
