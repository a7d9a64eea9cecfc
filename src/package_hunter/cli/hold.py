"""`package-hunter hold`: legal holds, which keep scans from being deleted."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, api, place_path, print_json
from package_hunter.cli.places import say, table

hold = typer.Typer(help="Legal holds: what is under one is not deleted.", no_args_is_help=True)

_On = Annotated[str, typer.Argument(help="The id of a scan, or the path of a project.")]
_Why = Annotated[str, typer.Option("--why", help="Why: for the history.")]


@hold.command("add")
def add(
    on: _On, why: _Why, form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None
) -> None:
    """Keep a scan, or all scans of a project, until the hold is lifted."""
    with api(server, token_file) as asked:
        place = f"/scans/{on}" if _is_id(on) else place_path(asked, on)
        made = asked.post(f"{place}/holds", {}, {"why": why})
    if form is Form.JSON:
        print_json(made)
    say(f"Hold {made['number']} keeps {on!r}.")


@hold.command("remove")
def remove(
    number: Annotated[int, typer.Argument(help="Its number, from the list.")],
    why: _Why,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Lift a hold."""
    with api(server, token_file) as asked:
        asked.delete(f"/holds/{number}", {"why": why})
    if form is Form.JSON:
        print_json(None)  # the API answers nothing
    say(f"Hold {number} is lifted.")


@hold.command("list")
def list_them(form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """List the holds."""
    with api(server, token_file) as asked:
        found = asked.get("/holds", {})
        paths = {one["id"]: one["path"] for one in asked.get("/projects", {})["items"]}
    if form is Form.JSON:
        print_json(found)
        return
    rows = [
        (
            str(one["number"]),
            str(paths.get(one["project"], one["project"])),
            str(one["scan"] or "all"),
            str(one["since"])[:16].replace("T", " ") + " UTC",
            str(one["who"]),
            str(one["reason"]),
        )
        for one in found["items"]
    ]
    table(("NUMBER", "PROJECT", "SCAN", "SINCE", "BY", "WHY"), rows)


def _is_id(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False
