"""`package-hunter group`, `project` and `member`: where things belong, and who has which role there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered, answered_at
from package_hunter.cli.console import harmless, print_table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance.proposals.alone import require_alone_for
from package_hunter.store import members, places
from package_hunter.store.members import Place

group = typer.Typer(help="Groups of projects: folders, one in another.", no_args_is_help=True)
project = typer.Typer(help="Projects: what is seen by the same people.", no_args_is_help=True)
member = typer.Typer(help="Who has which role where.", no_args_is_help=True)

_Path = Annotated[str, typer.Argument(help="Its way from the top, like web/shop.")]
_Account = Annotated[str, typer.Argument(help="A user, or token:NAME.")]
_RoleName = Annotated[str, typer.Argument(help=f"One of {', '.join(Role)}.")]
_At = Annotated[str, typer.Argument(help="A project or group; unset: everywhere.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


@group.command("add")
def group_add(path: _Path, why: _Why = None) -> None:
    """Make a group; the one above it must be there."""
    with open_store(settings()).write() as session:
        places.add_group(session, path, command_line(), why)
    say(f"There is a group {path!r} now.")


@group.command("list")
def group_list(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the groups."""
    if answered("/groups", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [(g.path, str(g.id), shown_time(g.created)) for g in places.groups(session, EVERYTHING)]
    table(("PATH", "ID", "CREATED"), rows)


@project.command("add")
def project_add(path: _Path, why: _Why = None) -> None:
    """Make a project; its group must be there."""
    with open_store(settings()).write() as session:
        places.add_project(session, path, command_line(), why)
    say(f"There is a project {path!r} now.")


@project.command("list")
def project_list(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the projects."""
    if answered("/projects", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [(p.path, str(p.id), shown_time(p.created)) for p in places.projects(session, EVERYTHING)]
    table(("PATH", "ID", "CREATED"), rows)


@member.command("add")
def member_add(account: _Account, role: _RoleName, at: _At = "", why: _Why = None) -> None:
    """Give an account a role."""
    with open_store(settings()).write() as session:
        place = place_at(session, at)
        require_alone_for(session, role_named(role), account, place)
        members.give(session, account, role_named(role), place, command_line(), why)
        say(f"{account!r} is {role} now ({place.name}).")


@member.command("remove")
def member_remove(account: _Account, role: _RoleName, at: _At = "", why: _Why = None) -> None:
    """Take a role away; a running server knows within PACKAGE_HUNTER_CREDENTIAL_CACHE_SECONDS (60)."""
    with open_store(settings()).write() as session:
        place = place_at(session, at)
        require_alone_for(session, role_named(role), account, place)
        members.take(session, account, role_named(role), place, command_line(), why)
        say(f"{account!r} is {role} no more ({place.name}).")


@member.command("list")
def member_list(
    at: _At = "",
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List who was given a role right there."""
    if answered_at(at, "members", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        found = members.members(session, place_at(session, at))
        rows = [(name, role, shown_time(since)) for name, role, since in found]
    table(("ACCOUNT", "ROLE", "SINCE"), rows)


def role_named(text: str) -> Role:
    """The role of this name; UsageError."""
    try:
        return Role(text)
    except ValueError:
        raise UsageError(f"There is no role {text!r}.", f"Roles: {', '.join(Role)}.") from None


def place_at(session: Session, path: str) -> Place:
    """The project or group of this path, everywhere where it is empty; UsageError."""
    if not path:
        return Place()
    try:
        return Place(project=places.project_at(session, EVERYTHING, path))
    except places.MissingError:
        pass
    try:
        return Place(group=places.group_at(session, EVERYTHING, path))
    except places.MissingError:
        advice = "See package-hunter project list and group list."
        raise places.MissingError(f"There is no project or group {path!r}.", advice) from None


def say(sentence: str) -> None:
    """A sentence for people, beside the data."""
    print(harmless(sentence), file=sys.stderr)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Rows under their titles, on stdout."""
    print_table(head, rows)


def shown_time(ms: int | None) -> str:
    """A time for people, or a dash."""
    return "-" if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
