"""`package-hunter notices`: where teams are told what happens, and how that went."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter import given
from package_hunter.access.actor import command_line
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered_at
from package_hunter.cli.places import place_at, say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import HunterError, UsageError
from package_hunter.notices import deliveries, destinations, secrecy
from package_hunter.notices.deliver import Deliverer
from package_hunter.notices.destinations import NewDestination
from package_hunter.notices.kinds import SENDERS
from package_hunter.notices.kinds.webhook import Webhook
from package_hunter.notices.outbox import Event
from package_hunter.store.database import Store

app = typer.Typer(help="Where teams are told what happens, and how that went.", no_args_is_help=True)

_MAX_SECRET = 4_096
_SHOWN = 200
_Name = Annotated[str, typer.Argument(help="Of the destination.")]
_At = Annotated[str, typer.Option("--at", help="A project or group; unset: all.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


@app.command("add")
def add(  # noqa: PLR0913 - one a setting
    name: _Name,
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(SENDERS)}.")],
    at: _At = "",
    url: Annotated[
        str | None, typer.Option(help="Its address; - reads it from standard input, as chats' are secret.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="A file with the token, or a webhook's signing key (whsec_...).")
    ] = None,
    project: Annotated[str | None, typer.Option(help="The tracker's project: path, number or key.")] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="A mail address; as often as you like.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of any other setting (docs/notices.md).")
    ] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="Tell this event only; as often as you like. Unset: all.")
    ] = None,
    why: _Why = None,
) -> None:
    """Tell a team: by webhook, in chat, by mail, in its issue tracker."""
    config = settings()
    values: dict[str, Any] = {"kind": kind, "url": _from_input(url), "project": project, "to": to or None}
    if secret_file is not None:
        values["secret" if kind == "webhook" else "token"] = _from_file(secret_file)
    values |= _options(option or [])
    made = destinations.settings_of({key: value for key, value in values.items() if value is not None})
    destinations.check_target(made, config.notices_allow)
    store = _opened()
    with store.write() as session:
        new = NewDestination(name, made, tuple(_event(text) for text in event or ()))
        place = place_at(session, at)
        destinations.add(session, place, new, secrecy.public_key(config), command_line(), why)
        say(f"{name!r} ({made.shown()}) is told from now on ({place.name}).")
    if isinstance(made, Webhook) and secret_file is None:
        say("Its signing key, shown this once:")
        typer.echo(made.secret)


@app.command("list")
def list_destinations(
    at: _At = "",
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the destinations of right there."""
    if answered_at(at, "destinations", {}, (form, server, token_file)):
        return
    with _opened().read() as session:
        rows = []
        for row in destinations.listed(session, place_at(session, at)):
            events = ", ".join(destinations.wanted(row)) or "all"
            rows.append((row.name, row.kind, row.target, events, shown_time(row.created)))
    table(("NAME", "KIND", "TARGET", "EVENTS", "CREATED"), rows)


@app.command("remove")
def remove(name: _Name, at: _At = "", why: _Why = None) -> None:
    """Tell a destination nothing from now on."""
    with _opened().write() as session:
        destinations.remove(session, place_at(session, at), name, command_line(), why)
    say(f"{name!r} is told nothing any more.")


@app.command("test")
def test(name: _Name, at: _At = "", why: _Why = None) -> None:
    """Tell a destination that this is a test, now; exit code 69 where it did not take it."""
    store = _opened()
    deliverer = Deliverer(store, settings())
    with store.write() as session:
        key = destinations.test(session, place_at(session, at), name, command_line(), why)
    task = deliverer.claim(only=key)
    if task is None:
        say("A running server tells it just now: see package-hunter notices deliveries.")
        return
    problem = deliverer.deliver(task)
    if problem is not None:
        failed = HunterError(f"{name!r} was not told. {problem}", "A running server tries it again.")
        failed.exit_code = 69
        raise failed
    say(f"{name!r} was told.")


@app.command("deliveries")
def list_deliveries(
    at: _At = "",
    state: Annotated[str | None, typer.Option(help="Only those that are waiting, delivered or dead.")] = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List how telling went, the newest first."""
    if answered_at(at, "deliveries", {"state": state}, (form, server, token_file)):
        return
    if state not in (None, "waiting", "delivered", "dead"):
        raise UsageError(f"There is no state {state!r}.", "States: waiting, delivered, dead.")
    with _opened().read() as session:
        found = deliveries.listed(session, place_at(session, at), _SHOWN, state)
        rows = [
            (str(d.id), d.destination, d.event, shown_time(d.time), d.state, str(d.attempts), d.error or "")
            for d in found
        ]
    table(("ID", "DESTINATION", "EVENT", "TIME", "STATE", "TRIES", "ERROR"), rows)


@app.command("retry")
def retry(
    at: _At = "",
    delivery: Annotated[str | None, typer.Option(help="Only this one, by its id.")] = None,
    why: _Why = None,
) -> None:
    """Try again what was given up (dead)."""
    try:
        key = None if delivery is None else uuid.UUID(delivery)
    except ValueError:
        raise UsageError("This is no id of a delivery.", "See package-hunter notices deliveries.") from None
    with _opened().write() as session:
        number = deliveries.retry(session, place_at(session, at), command_line(), key, why)
    say(f"{number} deliveries are tried again.")


def _opened() -> Store:
    config = settings()
    store = open_store(config)
    secrecy.prepare(config)
    return store


def _from_input(text: str | None) -> str | None:
    return sys.stdin.readline(_MAX_SECRET).strip() if text == "-" else text


def _from_file(path: Path) -> str:
    try:
        return given.read(path, _MAX_SECRET).decode("utf-8").strip()
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"{path} cannot be read ({why}).", "Give a file with one line.") from error


def _options(given: list[str]) -> dict[str, Any]:
    """NAME=VALUE; VALUE may be true, false, or several with commas between them where the setting is a list."""
    found: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is no option.", "Give NAME=VALUE.")
        found[name] = (
            [part.strip() for part in value.split(",") if part.strip()] if name == "labels" else value
        )
    return found


def _event(text: str) -> Event:
    known = [event.value for event in Event if event is not Event.TEST]
    if text not in known:
        raise UsageError(f"There is no event {text!r}.", f"Events: {', '.join(known)}.")
    return Event(text)
