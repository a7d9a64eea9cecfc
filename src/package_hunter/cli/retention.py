"""`package-hunter retention`: how long scans are kept, and what would go."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.api.transactions import as_time
from package_hunter.cli.asking import AsForm, Form, Json, print_json
from package_hunter.cli.places import place_at, say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.governance import retention as rules
from package_hunter.governance.retention import Due, Limits
from package_hunter.store import places
from package_hunter.store.access_tables import Project
from package_hunter.triage.chain import Chains

retention = typer.Typer(help="How long scans are kept.", no_args_is_help=True)

_At = Annotated[str, typer.Argument(help="A project or group; unset: everywhere.")]
_Days = Annotated[int | None, typer.Option(help="Days since a scan ended; 0: for ever.", min=0)]
_Scans = Annotated[int | None, typer.Option(help="The newest so many of each project; 0: all.", min=0)]


@retention.command("show")
def show(
    project: Annotated[str | None, typer.Argument(help="A project; unset: all.")] = None,
    form: AsForm = Form.TEXT,
) -> None:
    """Show what holds for projects."""
    with open_store(settings()).read() as session:
        chains, rows = Chains(session), []
        for found in _projects(session, project):
            limits = rules.limits_of(session, settings(), found.id, chains)
            rows.append((found.path, limits.days, limits.scans, limits.bytes))
    if form is Form.JSON:
        keys = ("project", "days", "scans", "bytes")  # 0: any
        print_json({"items": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    table(
        ("PROJECT", "DAYS", "SCANS", "BYTES"),
        [(path, *(str(n or "any") for n in limits)) for path, *limits in rows],
    )


@retention.command("set")
def set_them(
    at: _At = "",
    days: _Days = None,
    scans: _Scans = None,
    bytes_: Annotated[
        int | None, typer.Option("--bytes", help="Bytes of each project's artefacts; 0: any.", min=0)
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="Why: for the history.")] = None,
) -> None:
    """Say how long the scans of a project or group are kept; what is left out is as the place above says."""
    with open_store(settings()).write() as session:
        place = place_at(session, at)
        rules.set_limits(session, command_line(), place, Limits(days, scans, bytes_), why)
        say(f"Set ({place.name}). See what would go: package-hunter retention preview.")


@retention.command("preview")
def preview(
    project: Annotated[str | None, typer.Argument(help="A project; unset: all.")] = None,
    limit: Annotated[int, typer.Option(help="How many of each project.", min=1)] = 50,
    form: AsForm = Form.TEXT,
) -> None:
    """Show what would be deleted now, the oldest first; nothing is."""
    with open_store(settings()).read() as session:
        chains, rows, size = Chains(session), [], 0
        for found in _projects(session, project):
            limits = rules.limits_of(session, settings(), found.id, chains)
            for one in rules.due(session, limits, found.id, limit):
                rows.append((found.path, one))
                size += one.size
    if form is Form.JSON:
        print_json({"items": [_due(path, one) for path, one in rows], "bytes": size})
        return
    table(
        ("PROJECT", "SCAN", "ENDED", "WHAT", "BYTES", "WHY"),
        [
            (path, str(one.scan), shown_time(one.finished), _what(one), str(one.size), one.why)
            for path, one in rows
        ],
    )
    say(f"{len(rows)} would go, {size} bytes.")


def _what(one: Due) -> str:
    return "recordings, dropped files" if one.extras else "scan"


def _due(path: str, one: Due) -> Json:
    return {
        "project": path,
        "scan": str(one.scan),
        "finished": as_time(one.finished).isoformat(),
        "what": _what(one),
        "bytes": one.size,
        "why": one.why,
    }


def _projects(session: Session, path: str | None) -> list[Project]:
    if path is not None:
        return [places.project_at(session, EVERYTHING, path)]
    return list(places.projects(session, EVERYTHING))
