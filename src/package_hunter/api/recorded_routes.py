"""The route that looks into a scan's recordings: which of all events fit a Falco condition."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.errors import ApiError
from package_hunter.api.recorded import ONE_AT_A_TIME, Recorded
from package_hunter.api.rule_routes import MAX_CONDITION, loaded
from package_hunter.api.scan_act_routes import scan_of
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import read, told
from package_hunter.model.observation import Alert
from package_hunter.model.text import well_formed
from package_hunter.pipeline import tryout
from package_hunter.queue import recordings
from package_hunter.rules import builtin_files
from package_hunter.rules.document import read_file
from package_hunter.store import rule_sets

MAX_EVENTS = 500
_KEPT = "PACKAGE_HUNTER_RECORDINGS_BYTES says whether a server keeps them."
_FETCH = "Fetch it, and filter it with package-hunter replay."
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The condition cannot be used; it says where."},
    404: {"model": Problem, "description": "No scan of this id that the account can see."},
    409: {"model": Problem, "description": "No recording of it is kept, or it cannot be read in the time."},
}


class RecordedEvent(BaseModel):
    """An event of a box."""

    time: dt.datetime
    type: str
    process: int = Field(description="Its process, as the host saw it (`proc.pid`).")
    fields: dict[str, Any] = Field(description="What it has, by Falco's names.")


class RecordedEvents(BaseModel):
    """Events of a scan's recordings, without those of the box's own first process."""

    events: int = Field(description="How many were recorded.")
    matches: int = Field(description="How many the condition holds for.")
    all: bool = Field(description="False: there are more than were counted.")
    items: list[RecordedEvent] = Field(description="The first of them, box after box.")


@dataclass(frozen=True, slots=True)
class _Where:
    scan: uuid.UUID
    sizes: dict[uuid.UUID, int]
    own: tuple[tuple[str, str], ...]  # rule files of its project, beside the built-in ones


def routes(service: Service) -> APIRouter:
    """The one."""
    builtin = tuple((path.name, read_file(path)) for path in builtin_files())
    router = APIRouter(prefix="/api/v1", responses=_PROBLEMS, route_class=PermittedRoute, tags=["files"])

    @router.get(
        "/scans/{scan_id}/recorded",
        summary="Events of a scan's recordings that a condition holds for",
        description="A Falco condition, with the macros and lists of the rules that hold in the scan's project.",
    )
    async def recorded(
        request: Request,
        scan_id: str,
        condition: Annotated[str, Query(max_length=MAX_CONDITION, description="Empty: all.")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 100,
    ) -> RecordedEvents:
        def look(session: Session) -> _Where:
            scan = scan_of(session, request, scan_id)
            sizes = recordings.sizes(session, [scan.id])
            return _Where(scan.id, sizes, tuple(rule_sets.of_project(session, scan.project_id)))

        there = await read(service, look)
        if not there.sizes or recordings.where(service.settings) is None:
            raise ApiError(409, "No recording of this scan is kept.", _KEPT, kind="not-kept")

        def run() -> tryout.Sought | None:
            with told():
                rules = loaded((*builtin, *there.own))
                return Recorded(service, there.sizes).ask(
                    there.scan, lambda files: tryout.seek(condition, rules, files, limit)
                )

        async with ONE_AT_A_TIME:
            found = await run_sync(run)
        if found is None:
            raise ApiError(409, "The recording is lost, or too long to be read here.", _FETCH)
        return _told(found)

    return router


def _told(found: tryout.Sought) -> RecordedEvents:
    return RecordedEvents(
        events=found.events,
        matches=found.matches,
        all=found.whole,
        items=[_event(one) for one in found.shown],
    )


def _event(one: Alert) -> RecordedEvent:
    known = {name: value for name, value in one.output_fields.items() if value not in (None, "", ())}
    known.pop("evt.time", None)
    return RecordedEvent(
        time=dt.datetime.fromtimestamp(one.time_ns / 1e9, dt.UTC),
        type=one.event_type,
        process=one.pid,
        fields={name: _value(value) for name, value in known.items()},
    )


def _value(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return well_formed(str(value))
