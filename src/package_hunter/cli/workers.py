"""`package-hunter workers`: who runs the scans, what each can, and whether it takes more."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from package_hunter.access.actor import command_line
from package_hunter.cli.console import harmless
from package_hunter.cli.places import say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.model.times import rfc3339
from package_hunter.queue import fleet
from package_hunter.queue.fleet import Member

app = typer.Typer(help="The workers: what each can, and whether it takes scans.", no_args_is_help=True)


class Form(StrEnum):
    """How it is printed."""

    TEXT = "text"
    JSON = "json"


_Name = Annotated[str, typer.Argument(help="Its name, or the end of it that no other has.")]
_Form = Annotated[Form, typer.Option("--format", help="How to print it.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


@app.command("list")
def list_workers(form: _Form = Form.TEXT) -> None:
    """List the workers: those that fell silent are lost, and their scans run elsewhere."""
    config = settings()
    with open_store(config).read() as session:
        found = fleet.listed(session, config)
    if form is Form.JSON:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2))
        return
    rows = [
        (one.name, one.state.value, f"{one.free}/{one.slots}", one.version or "older", shown_time(one.seen))
        for one in found
    ]
    table(("NAME", "STATE", "FREE", "VERSION", "SEEN"), rows)


@app.command("show")
def show(name: _Name, form: _Form = Form.TEXT) -> None:
    """Show one worker: what it can, what it runs."""
    config = settings()
    with open_store(config).read() as session:
        one = fleet.found(session, config, name)
    if form is Form.JSON:
        typer.echo(json.dumps(_as_json(one), indent=2))
        return
    for key, value in _as_json(one).items():
        shown = ", ".join(value) if isinstance(value, list) else value
        typer.echo(harmless(f"{key:<11} {'-' if shown in (None, '') else shown}"))


@app.command("drain")
def drain(
    name: _Name,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SECONDS", help="Give what it runs back after so long. Unset: let it end."
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let it take scans again.")] = False,
    why: _Why = None,
) -> None:
    """Let a worker take no more scans: before an upgrade, or before its machine is stopped."""
    config = settings()
    with open_store(config).write() as session:
        one = fleet.found(session, config, name)
        if undo:
            fleet.resume(session, one, command_line(), why)
        else:
            fleet.drain(session, one, command_line(), why, seconds)
    say(f"{one.name} takes {'scans again' if undo else 'no more scans'}.")


def _as_json(one: Member) -> dict[str, Any]:
    """The form of the API's answer, too: docs/server.md."""
    found = asdict(one) | {"ecosystems": list(one.ecosystems), "can": list(one.can)}
    times = {key: None if found[key] is None else rfc3339(found[key] * 1_000_000) for key in _TIMES}
    return found | times | {"state": one.state.value, "runs": [str(scan) for scan in one.runs]}


_TIMES = ("seen", "started", "drain", "give_back")
