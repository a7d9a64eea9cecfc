"""`package-hunter user` and `token`: who may ask the server."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.places import place_at, role_named, say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, passwords, places

user = typer.Typer(help="Users of the server, with passwords (HTTP Basic).", no_args_is_help=True)
token = typer.Typer(help="Bearer tokens for the server's /api/v1.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Name of the account.")]
_Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="ROLE (everywhere) or ROLE@PATH (a project, or a group and all below it), as often as you like; unset: "
        "developer@legacy and monitor.",
    ),
]
_Home = Annotated[str, typer.Option("--home", help="The project of its scans that name none.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


@user.command("add")
def user_add(name: _Name, role: _Roles = None, home: _Home = "legacy", why: _Why = None) -> None:
    """Add a user. The password is asked for twice, or is the first line of stdin."""
    accounts.check_name(name)
    password = _password()
    with open_store(settings()).write() as session:
        accounts.add_user(session, name, password, _start(session, role, home), command_line(), why)
    say(f"User {name!r} can log in now (store under {settings().data_dir}).")


@user.command("list")
def user_list() -> None:
    """List the users."""
    with open_store(settings()).read() as session:
        rows = [(u.name, shown_time(u.created)) for u in accounts.users(session)]
    table(("NAME", "CREATED"), rows)


@user.command("remove")
def user_remove(name: _Name, why: _Why = None) -> None:
    """Remove a user; a running server forgets them within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        accounts.remove_user(session, name, command_line(), why)
    say(f"User {name!r} is removed.")


@token.command("add")
def token_add(name: _Name, role: _Roles = None, home: _Home = "legacy", why: _Why = None) -> None:
    """Make a token and print it, once: only its hash is kept."""
    with open_store(settings()).write() as session:
        value = accounts.add_token(session, name, _start(session, role, home), command_line(), why)
    say(f"Token {name!r} can be used now; it cannot be shown again.")
    print(value)


@token.command("list")
def token_list() -> None:
    """List the tokens, revoked ones too."""
    with open_store(settings()).read() as session:
        rows = [
            (t.name, shown_time(t.created), shown_time(t.last_used), shown_time(t.revoked))
            for t in accounts.tokens(session)
        ]
    table(("NAME", "CREATED", "LAST USED", "REVOKED"), rows)


@token.command("revoke")
def token_revoke(name: _Name, why: _Why = None) -> None:
    """Revoke a token; a running server refuses it within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        accounts.revoke_token(session, name, command_line(), why)
    say(f"Token {name!r} is revoked.")


def _start(session: Session, roles: list[str] | None, home: str) -> accounts.Start:
    """What a new account begins with; UsageError."""
    usual = accounts.usual_start(session)
    grants = usual.grants if roles is None else tuple(_grant(session, text) for text in roles)
    return accounts.Start(grants, places.project_at(session, EVERYTHING, home).id)


def _grant(session: Session, text: str) -> accounts.Grant:
    name, _, path = text.partition("@")
    return accounts.Grant(role_named(name), place_at(session, path))


def _password() -> str:
    """Never from the command line: that would be in the shell's history and in ps."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(passwords.MAX_PASSWORD_BYTES + 2).rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise UsageError("The two passwords differ.", "Try again.")
    return password
