"""`package-hunter user` and `token`: who may ask the server."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from package_hunter.cli.console import harmless
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts

user = typer.Typer(help="Users of the server, with passwords (HTTP Basic).", no_args_is_help=True)
token = typer.Typer(help="Bearer tokens for the server's /api/v1.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Name of the account.")]


@user.command("add")
def user_add(name: _Name) -> None:
    """Add a user. The password is asked for twice, or is the first line of stdin."""
    accounts.check_name(name)
    password = _password()
    with open_store(settings()).write() as session:
        accounts.add_user(session, name, password)
    _say(f"User {name!r} can log in now (store under {settings().data_dir}).")


@user.command("list")
def user_list() -> None:
    """List the users."""
    with open_store(settings()).read() as session:
        rows = [(u.name, _time(u.created)) for u in accounts.users(session)]
    _table(("NAME", "CREATED"), rows)


@user.command("remove")
def user_remove(name: _Name) -> None:
    """Remove a user; a running server forgets them within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        accounts.remove_user(session, name)
    _say(f"User {name!r} is removed.")


@token.command("add")
def token_add(name: _Name) -> None:
    """Make a token and print it, once: only its hash is kept."""
    with open_store(settings()).write() as session:
        value = accounts.add_token(session, name)
    _say(f"Token {name!r} can be used now; it cannot be shown again.")
    print(value)


@token.command("list")
def token_list() -> None:
    """List the tokens, revoked ones too."""
    with open_store(settings()).read() as session:
        rows = [
            (t.name, _time(t.created), _time(t.last_used), _time(t.revoked)) for t in accounts.tokens(session)
        ]
    _table(("NAME", "CREATED", "LAST USED", "REVOKED"), rows)


@token.command("revoke")
def token_revoke(name: _Name) -> None:
    """Revoke a token; a running server refuses it within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        accounts.revoke_token(session, name)
    _say(f"Token {name!r} is revoked.")


def _password() -> str:
    """Never from the command line: that would be in the shell's history and in ps."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(accounts.MAX_PASSWORD_BYTES + 2).rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise UsageError("The two passwords differ.", "Try again.")
    return password


def _say(sentence: str) -> None:
    print(harmless(sentence), file=sys.stderr)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    Console().print(table)


def _time(ms: int | None) -> str:
    return "-" if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
