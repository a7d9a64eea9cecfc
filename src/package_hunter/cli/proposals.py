"""`package-hunter proposals`, and `break-glass`: changes that need two people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered
from package_hunter.cli.places import say, table
from package_hunter.cli.proposing import (
    ApplyAt,
    At,
    Change,
    Why,
    act,
    budget,
    by,
    document_of,
    moment,
    opened,
    propose_change,
    say_state,
    shown,
)
from package_hunter.cli.proving import AsWhom
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import decide, people, propose, views
from package_hunter.governance.proposals.decide import Emergency, Seen
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.life import STATES
from package_hunter.governance.proposals.propose import Asked
from package_hunter.governance.proposals.views import ALL, Wish
from package_hunter.store.database import now_ms

app = typer.Typer(help="Changes that need two people: propose, look, approve.", no_args_is_help=True)

_Number = Annotated[int, typer.Argument(help="The proposal's number.", min=1, max=1 << 62)]
_Kind = Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")]
_File = Annotated[Path, typer.Argument(help="The document: JSON, or TOML by its name.")]
_MAX_LISTED = 1_000


@app.command("make")
def make(
    kind: _Kind,
    file: _File,
    who: AsWhom,
    why: Why,
    at: At = "",
    apply_at: ApplyAt = None,
) -> None:
    """Propose a change of any kind."""
    propose_change(Change(kind, at, document_of(file), who, why, apply_at))


@app.command("edit")
def edit(
    number: _Number,
    file: _File,
    who: AsWhom,
    why: Why,
    apply_at: ApplyAt = None,
) -> None:
    """Change what a proposal says: its approvals are dropped, and who edits cannot approve it. Its time stays, where
    none is given."""
    with opened().read() as session:
        old = views.get(session, ALL, number)
        place = people.place_of(session, old)
        prepared = propose.prepare(session, old.kind, place, document_of(file), budget())
    store, _ = act(who)
    asked = Asked(why, moment(apply_at), keep_time=apply_at is None)
    with store.write() as session:
        say_state(propose.edit(session, by(session, who), number, prepared, asked), session)


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Applied without approval, and not looked at yet.")
    ] = False,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List proposals, newest first."""
    query = {"state": state, "kind": kind, "unreviewed": unreviewed or None}
    if answered("/proposals", query, (form, server, token_file)):
        return
    if state is not None and state not in STATES:
        raise UsageError(f"There is no state {state!r}.", f"States: {', '.join(STATES)}.")
    now = now_ms()
    with opened().read() as session:
        rows = views.listed(session, ALL, Wish(state, kind, unreviewed), now, _MAX_LISTED)
        found = views.summaries(session, rows, now)
    head = ("NUMBER", "STATE", "KIND", "PLACE", "APPROVALS", "AUTHOR", "FLIPS", "SUBJECT")
    cells = [
        (
            str(f["number"]),
            f["state"] + (" (unreviewed)" if f["unreviewed"] else ""),
            f["kind"],
            f["place"],
            f"{f['approvals']} of {f['needed']}",
            f["author"],
            str(f["would_flip"]),
            f["subject"],
        )
        for f in found
    ]
    table(head, cells)


@app.command("show")
def show(
    number: _Number,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Show a proposal: what it changes, what it would do, who approved it."""
    if answered(f"/proposals/{number}", {}, (Form.JSON if as_json else form, server, token_file)):
        return
    now = now_ms()
    with opened().read() as session:
        found = views.details(session, views.get(session, ALL, number), now)
    for line in shown(found):
        typer.echo(line)


@app.command("approve")
def approve(
    number: _Number,
    who: AsWhom,
    content: Annotated[
        str | None,
        typer.Option("--content", help="The content hash that you looked at; unset: it is shown now."),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="With --content: the version that you looked at.", min=1)
    ] = None,
) -> None:
    """Approve a proposal as somebody who neither made nor edited it."""
    if (content is None) is not (version is None):
        raise UsageError(
            "An approval is of a content and a version.",
            "Give --content and --version; proposals show has both.",
        )
    with opened().read() as session:
        found = views.details(session, views.get(session, ALL, number), now_ms())
    seen = Seen(str(found["content_hash"]), int(found["version"]))
    if content is not None and version is not None:
        seen = Seen(content, version)
    else:
        for line in shown(found):
            typer.echo(line)
    store, proof = act(who)
    with store.write() as session:
        say_state(decide.approve(session, by(session, who), number, seen, proof), session)


@app.command("reject")
def reject(number: _Number, who: AsWhom, why: Why) -> None:
    """Close a proposal, unapplied."""
    store, _ = act(who)
    with store.write() as session:
        say(f"Proposal {decide.reject(session, by(session, who), number, why).number} is rejected.")


@app.command("withdraw")
def withdraw(number: _Number, who: AsWhom, why: Why) -> None:
    """Close what one proposed oneself."""
    store, _ = act(who)
    with store.write() as session:
        say(f"Proposal {decide.withdraw(session, by(session, who), number, why).number} is withdrawn.")


@app.command("review")
def review(number: _Number, who: AsWhom, why: Why) -> None:
    """Say that one has looked at what was applied without approval, as somebody who had no part in it."""
    store, _ = act(who)
    with store.write() as session:
        say(f"Proposal {decide.review(session, by(session, who), number, why).number} is reviewed.")


def break_glass(
    number: _Number,
    who: AsWhom,
    why: Why,
    reason: Annotated[Emergency, typer.Option("--reason", help="What makes it urgent.", show_default=False)],
) -> None:
    """Apply a proposal now, without approval. Everybody concerned is told, and somebody else must review it."""
    store, _ = act(who)
    with store.write() as session:
        say_state(decide.break_glass(session, by(session, who), number, reason, why), session)
