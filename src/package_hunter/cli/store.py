"""`package-hunter store`: the server's database."""

from __future__ import annotations

from typing import Annotated

import typer

from package_hunter.api import server
from package_hunter.cli.places import say
from package_hunter.config import settings
from package_hunter.store.database import Store

app = typer.Typer(help="The server's database.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """So that its one command has a name."""


@app.command("migrate")
def migrate(
    application: Annotated[
        str | None,
        typer.Option(
            help="PostgreSQL: the role that the server connects as; it may then use the tables and owns none."
        ),
    ] = None,
) -> None:
    """Make the tables, or bring them up to date (a server does so at its start, where it owns them)."""
    config = settings()
    server.prepare_folders(config)
    store = Store(config)
    store.migrate(application)
    store.close()
    say("The store is up to date.")
