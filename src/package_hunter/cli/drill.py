"""`package-hunter drill`: does everything between a submission and a person's decision still work?"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from package_hunter.cli.asking import AsForm, Form, Json, Server, TokenFile, api, print_json
from package_hunter.cli.console import harmless
from package_hunter.cli.places import say
from package_hunter.drill.run import RUNNING

app = typer.Typer(
    help="The standing drill: a harmless attack through queue, box, judgement, gate and triage.",
    no_args_is_help=True,
)
_EXIT = {"proven": 0, "failed": 1}
_PAUSE_SECONDS = 1.0


@app.command("run")
def run(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the gate's word; 0: do not.", min=0)] = 0,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Begin one; a running server's worker (package-hunter serve) runs it.

    Exit codes: 0 begun (with --wait: blocked), 1 it failed, 4 it was not over in time.
    """
    with api(server, token_file) as asked:
        found = asked.post("/drill", {}, {})
        end = time.monotonic() + wait
        while found["state"] == RUNNING and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)
            found = asked.get("/drill", {})
    _show(found, form)
    raise typer.Exit(_EXIT.get(found["state"], 4) if wait else 0)


@app.command("status")
def status(form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """How the drills went: when one was last blocked, how fast, and how long people took.

    Exit codes: 0 the last one was blocked, 1 it failed, 4 there is none, or it runs.
    """
    with api(server, token_file) as asked:
        found = asked.get("/drill", {})
    _show(found, form)
    raise typer.Exit(_EXIT.get(found["state"], 4))


def _show(found: Json, form: Form) -> None:
    if form is Form.JSON:
        print_json(found)
        return
    say(harmless(found["says"]))
    seconds, waits = found["seconds_to_block"], found["undecided_minutes"]
    rows = (
        ("last begun", _time(found["begun"])),
        ("its scan", found["scan"]),
        ("its finding", found["fingerprint"]),
        ("last proven", _time(found["proven"])),
        ("seconds to block", None if seconds is None else f"{seconds:.1f}"),
        ("minutes until decided", _minutes(found["minutes_until_decided"], found["decided_by"])),
        ("waits for a person since", None if waits is None else f"{waits:.0f} minutes"),
        ("next", _time(found["next"])),
    )
    for label, value in rows:
        if value:
            typer.echo(f"  {label}: {harmless(str(value))}")
    for failure in found["failures"]:
        typer.echo(f"  failed {_time(failure['begun'])}: {harmless(failure['said'])}")


def _time(text: Any) -> str | None:
    return None if text is None else f"{str(text)[:16].replace('T', ' ')} UTC"


def _minutes(minutes: float | None, by: str | None) -> str | None:
    return None if minutes is None else f"{minutes:.0f} (by {by or 'somebody'})"
