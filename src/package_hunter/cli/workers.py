"""`package-hunter workers`: who runs the scans, what each can, and whether it takes more."""

from __future__ import annotations

from typing import Annotated

import typer

from package_hunter.cli.asking import AsForm, Form, Json, Server, TokenFile, api, print_json, said, show
from package_hunter.cli.places import say, table
from package_hunter.client.remote import Remote
from package_hunter.errors import UsageError

app = typer.Typer(help="The workers: what each can, and whether it takes scans.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Its name, or the end of it that no other has.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


@app.command("list")
def list_workers(form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """List the workers: those that fell silent are lost, and their scans run elsewhere."""
    with api(server, token_file) as asked:
        found = asked.get("/workers", {})
    if form is Form.JSON:
        print_json(found)
        return
    rows = [
        (
            str(one["name"]),
            str(one["state"]),
            f"{one['free']}/{one['slots']}",
            str(one["version"] or "older"),
            str(one["seen"])[:16].replace("T", " ") + " UTC",
        )
        for one in found["items"]
    ]
    table(("NAME", "STATE", "FREE", "VERSION", "SEEN"), rows)


@app.command("show")
def show_worker(
    name: _Name, form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None
) -> None:
    """Show one worker: what it can, what it runs."""
    with api(server, token_file) as asked:
        show(_one(asked, name), form)


def _one(asked: Remote, name: str) -> Json:
    """As `queue.fleet.found`: the API has no route of one worker, since a name holds slashes."""
    every: list[Json] = asked.get("/workers", {})["items"]
    fits = [one for one in every if one["name"] == name] or [
        one for one in every if str(one["name"]).endswith(name)
    ]
    if not name or len(fits) != 1:
        what = "more than one worker" if fits else "no worker"
        raise UsageError(f"There is {what} of the name {name[:200]!r}.", "package-hunter workers list")
    return fits[0]


@app.command("drain")
def drain(  # noqa: PLR0913 (each is an option)
    name: _Name,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="SECONDS", help="Give what it runs back after so long. Unset: let it end."
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let it take scans again.")] = False,
    why: _Why = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Let a worker take no more scans: before an upgrade, or before its machine is stopped."""
    with api(server, token_file) as asked:
        query = said({"name": _one(asked, name)["name"], "why": why, "seconds": None if undo else seconds})
        told = asked.post(f"/workers/{'resume' if undo else 'drain'}", query, {})
    if form is Form.JSON:
        print_json(told)
    say(f"{told['name']} takes {'scans again' if undo else 'no more scans'}.")
