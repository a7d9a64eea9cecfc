"""`package-hunter user` and `token`: who may ask the server."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.permissions import Permission
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered
from package_hunter.cli.places import place_at, role_named, say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance.proposals.alone import require_alone_for_start
from package_hunter.store import accounts, invitations, members, passwords, persons, places, tokens, totp
from package_hunter.store.secret_box import SecretBox
from package_hunter.store.tokens import Limits

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
        start = _start(session, role, home)
        require_alone_for_start(session, start)
        accounts.add_user(session, name, password, start, command_line(), why)
    say(f"User {name!r} can log in now (store under {settings().data_dir}).")


@user.command("invite")
def user_invite(
    name: _Name,
    role: _Roles = None,
    home: _Home = "legacy",
    hours: Annotated[float, typer.Option(help="For how long the link is good.", min=0.01, max=720)] = 72.0,
    why: _Why = None,
) -> None:
    """Print a one-time link by which NAME chooses a password: for somebody new, with roles; or for a user who is
    there and forgot it."""
    accounts.check_name(name)
    with open_store(settings()).write() as session:
        if members.account(session, name) is None:
            start = _start(session, role, home)
            require_alone_for_start(session, start)
            secret = invitations.invite(session, name, start, command_line(), hours, why)
        else:
            there = accounts.user(session, name)
            secret = invitations.invite_again(session, there, command_line(), hours, why)
    say(f"Whoever opens this within {hours:g} hours is {name!r} and chooses a password, once:")
    print(invitations.link(settings().public_url, secret))


@user.command("totp")
def user_totp(
    name: _Name,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take the codes away, for somebody who lost them.")
    ] = False,
    why: _Why = None,
) -> None:
    """Set one-time codes up for a user: prints what an app is told, asks for a code (or reads it from stdin), and
    prints recovery codes."""
    config = settings()
    store, box = open_store(config), SecretBox(config)
    if reset:
        with store.write() as session:
            totp.remove(session, accounts.user(session, name), command_line(), why)
        say(f"{name!r} logs in with the password alone now, until new codes are set up.")
        return
    with store.write() as session:
        made = totp.begin(session, box, accounts.user(session, name))
    print(made.uri, flush=True)
    code = _ask_once("Code of the app: ")
    with store.write() as session:
        codes = totp.confirm(session, box, accounts.user(session, name), code, command_line())
    say(f"{name!r} needs a code from now on. Recovery codes, each good once, shown this once:")
    print("\n".join(codes))


@user.command("unlock")
def user_unlock(name: _Name, why: _Why = None) -> None:
    """Let a user log in again after too many wrong one-time codes."""
    with open_store(settings()).write() as session:
        totp.unlock(session, accounts.user(session, name), command_line(), why)
    say(f"{name!r} can log in again.")


@user.command("link")
def user_link(
    name: _Name, other: Annotated[str, typer.Argument(help="The other account.")], why: _Why = None
) -> None:
    """Say that two users are one person: neither approves what the other proposed."""
    with open_store(settings()).write() as session:
        persons.link(session, name, other, command_line(), why)
        person = persons.person_of(session, name)
        assert person is not None, "it was just linked"
        all_of_them = ", ".join(persons.accounts_of(session, person))
    say(f"One person: {all_of_them}.")


@user.command("list")
def user_list(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the users."""
    if answered("/users", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [
            (u.name, shown_time(u.created), "yes" if totp.is_on(session, u) else "no")
            for u in accounts.users(session)
        ]
    table(("NAME", "CREATED", "ONE-TIME CODES"), rows)


@user.command("remove")
def user_remove(name: _Name, why: _Why = None) -> None:
    """Remove a user; a running server forgets them within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        accounts.remove_user(session, name, command_line(), why)
    say(f"User {name!r} is removed.")


@token.command("add")
def token_add(  # noqa: PLR0913 (each is an option)
    name: _Name,
    role: _Roles = None,
    permission: Annotated[
        list[str] | None,
        typer.Option("--permission", help="It may do this alone, as often as you like (docs/access.md)."),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option("--project", help="In this project or group alone, as often as you like."),
    ] = None,
    expires: Annotated[str, typer.Option(help="Days until it ends, or never.")] = str(tokens.USUAL_DAYS),
    owner: Annotated[
        str | None,
        typer.Option(
            help="Whose it is: it can do no more than this user. Without --role: all that the user can."
        ),
    ] = None,
    home: _Home = "legacy",
    why: _Why = None,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    with open_store(settings()).write() as session:
        delegated = owner is not None and role is None
        start = _start(session, [] if delegated else role, home)
        limits = Limits(
            None if permission is None else tuple(_permission(text) for text in permission),
            None if project is None else tuple(place_at(session, path) for path in project if path),
            tokens.expiry(_days(expires)),
            owner,
            delegated,
        )
        value = tokens.add_token(session, name, start, command_line(), why, limits)
    until = "" if limits.expires is None else f" until {shown_time(limits.expires)}"
    say(f"Token {name!r} can be used now{until}; it cannot be shown again.")
    print(value)


def _permission(text: str) -> Permission:
    try:
        return Permission(text)
    except ValueError:
        advice = f"Permissions: {', '.join(Permission)}."
        raise UsageError(f"There is no permission {text!r}.", advice) from None


def _days(text: str) -> int | None:
    if text == "never":
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"{text!r} is no number of days.", "Give days, or never.")
    return int(text)


@token.command("list")
def token_list(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the tokens, revoked and expired ones too."""
    if answered("/tokens", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [
            (
                t.name,
                shown_time(t.created),
                shown_time(t.last_used),
                "never" if t.expires is None else shown_time(t.expires),
                shown_time(t.revoked),
            )
            for t in tokens.tokens(session)
        ]
    table(("NAME", "CREATED", "LAST USED", "EXPIRES", "REVOKED"), rows)


@token.command("revoke")
def token_revoke(name: _Name, why: _Why = None) -> None:
    """Revoke a token; a running server refuses it within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        tokens.revoke_token(session, name, command_line(), why)
    say(f"Token {name!r} is revoked.")


def _start(session: Session, roles: list[str] | None, home: str) -> accounts.Start:
    """What a new account begins with; UsageError."""
    usual = accounts.usual_start(session)
    grants = usual.grants if roles is None else tuple(_grant(session, text) for text in roles)
    return accounts.Start(grants, places.project_at(session, EVERYTHING, home).id)


def _grant(session: Session, text: str) -> accounts.Grant:
    name, _, path = text.partition("@")
    return accounts.Grant(role_named(name), place_at(session, path))


def _ask_once(question: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(64).strip()
    return input(question).strip()


def _password() -> str:
    """Never from the command line: that would be in the shell's history and in ps."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(passwords.MAX_PASSWORD_BYTES + 2).rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise UsageError("The two passwords differ.", "Try again.")
    return password
