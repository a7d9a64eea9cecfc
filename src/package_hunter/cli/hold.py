"""`package-hunter hold`: legal holds, which keep scans from being deleted."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.places import say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.store import holds, places, scans
from package_hunter.store.access_tables import Project
from package_hunter.store.models import Scan

hold = typer.Typer(help="Legal holds: what is under one is not deleted.", no_args_is_help=True)

_On = Annotated[str, typer.Argument(help="The id of a scan, or the path of a project.")]
_Why = Annotated[str, typer.Option("--why", help="Why: for the history.")]


@hold.command("add")
def add(on: _On, why: _Why) -> None:
    """Keep a scan, or all scans of a project, until the hold is lifted."""
    with open_store(settings()).write() as session:
        number = holds.add(session, command_line(), _target(session, on), why).number
    say(f"Hold {number} keeps {on!r}.")


@hold.command("remove")
def remove(number: Annotated[int, typer.Argument(help="Its number, from the list.")], why: _Why) -> None:
    """Lift a hold."""
    with open_store(settings()).write() as session:
        holds.lift(session, EVERYTHING, command_line(), number, why)
    say(f"Hold {number} is lifted.")


@hold.command("list")
def list_them() -> None:
    """List the holds."""
    with open_store(settings()).read() as session:
        paths = {p.id: p.path for p in places.projects(session, EVERYTHING)}
        found = holds.listed(session, EVERYTHING)
        rows = [
            (
                str(row.number),
                paths.get(project, str(project)),
                "all" if row.scan_id is None else str(row.scan_id),
                shown_time(row.created),
                row.who,
                row.reason,
            )
            for row, project in found
        ]
    table(("NUMBER", "PROJECT", "SCAN", "SINCE", "BY", "WHY"), rows)


def _target(session: Session, name: str) -> Scan | Project:
    try:
        scan_id = uuid.UUID(name)
    except ValueError:
        return places.project_at(session, EVERYTHING, name)
    scan = scans.get(session, EVERYTHING, scan_id)
    if scan is None:
        raise UsageError(f"There is no scan {name}.", "Use the id that the submission returned.")
    return scan
