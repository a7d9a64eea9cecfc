"""`package-hunter drill`: does everything between a submission and a person's decision still work?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from package_hunter import queue
from package_hunter.access.actor import command_line
from package_hunter.cli.console import harmless
from package_hunter.cli.places import say, shown_time
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.drill import overview
from package_hunter.drill.overview import Overview
from package_hunter.drill.run import RUNNING, Drills
from package_hunter.store.database import Store

app = typer.Typer(
    help="The standing drill: a harmless attack through queue, box, judgement, gate and triage.",
    no_args_is_help=True,
)
_EXIT = {"proven": 0, "failed": 1}
_PAUSE_SECONDS = 1.0


class Format(StrEnum):
    """For people, or for machines."""

    TEXT = "text"
    JSON = "json"


_Format = Annotated[Format, typer.Option("--format", help="text, or json for machines.")]


@app.command("run")
def run(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the gate's word; 0: do not.", min=0)] = 0,
    format: _Format = Format.TEXT,
) -> None:
    """Begin one; a running server's worker (package-hunter serve) runs it.

    Exit codes: 0 begun (with --wait: blocked), 1 it failed, 4 it was not over in time.
    """
    store = open_store(settings())
    Drills(settings(), store, queue.make(settings(), store)).begin(command_line())
    end = time.monotonic() + wait
    found = _overview(store)
    while found.state == RUNNING and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)
        found = _overview(store)
    _show(found, format)
    raise typer.Exit(_EXIT.get(found.state, 4) if wait else 0)


@app.command("status")
def status(format: _Format = Format.TEXT) -> None:
    """How the drills went: when one was last blocked, how fast, and how long people took.

    Exit codes: 0 the last one was blocked, 1 it failed, 4 there is none, or it runs.
    """
    found = _overview(open_store(settings()))
    _show(found, format)
    raise typer.Exit(_EXIT.get(found.state, 4))


def _overview(store: Store) -> Overview:
    with store.read() as session:
        return overview.of(session, settings())


def _show(found: Overview, format: Format) -> None:
    if format is Format.JSON:
        typer.echo(json.dumps({"says": found.says, **asdict(found)}))
        return
    say(harmless(found.says))
    rows = (
        ("last begun", found.begun and shown_time(found.begun)),
        ("its scan", found.scan),
        ("its finding", found.fingerprint),
        ("last proven", found.proven and shown_time(found.proven)),
        ("seconds to block", found.seconds_to_block and f"{found.seconds_to_block:.1f}"),
        ("minutes until decided", _minutes(found.minutes_until_decided, found.decided_by)),
        ("waits for a person since", found.undecided_minutes and f"{found.undecided_minutes:.0f} minutes"),
        ("next", found.next and shown_time(found.next)),
    )
    for label, value in rows:
        if value:
            typer.echo(f"  {label}: {harmless(str(value))}")
    for failure in found.failures:
        typer.echo(f"  failed {shown_time(failure.begun)}: {harmless(failure.said)}")


def _minutes(minutes: float | None, by: str | None) -> str | None:
    return None if minutes is None else f"{minutes:.0f} (by {by or 'somebody'})"
