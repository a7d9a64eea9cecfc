"""`package-hunter database`: the tables belong to one PostgreSQL role, the server works as another."""

from __future__ import annotations

from typing import Annotated

import typer

from package_hunter.cli.places import say
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.store import grants
from package_hunter.store.database import Store, database_url

app = typer.Typer(help="A PostgreSQL store whose history the server cannot change.", no_args_is_help=True)


@app.command("migrate")
def migrate() -> None:
    """Bring the tables up to date, as the role that PACKAGE_HUNTER_DATABASE_URL names."""
    open_store(settings()).close()
    say("The tables are up to date.")


@app.command("grant")
def grant(role: Annotated[str, typer.Argument(help="The role that the server works as.")]) -> None:
    """Migrate, then give ROLE what a server needs: all but changing the history. Run it as the owner, again after each
    upgrade; the server's PACKAGE_HUNTER_DATABASE_URL names ROLE."""
    _require_postgresql()
    store = open_store(settings())
    store.grant(role)
    store.close()
    say(f"{role!r} may work with the tables, and owns none.")


@app.command("check")
def check() -> None:
    """Say whether the role that the server works as could change the history; exit code 1 where it could."""
    _require_postgresql()
    store = Store(settings())
    with store.peek() as connection:
        role = grants.current_role(connection)
    store.close()
    if role.superuser or role.owns:
        what = "is a superuser" if role.superuser else f"owns {', '.join(role.owns[:5])}"
        say(f"{role.name!r} {what}: it could change the history. See package-hunter database grant.")
        raise typer.Exit(1)
    say(f"{role.name!r} owns no table, and cannot change the history.")


def _require_postgresql() -> None:
    if database_url(settings()).get_backend_name() == "sqlite":
        raise UsageError("SQLite has no roles.", "Keep checkpoints elsewhere: docs/server.md, History.")
