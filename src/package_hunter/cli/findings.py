"""`package-hunter findings`: what scans found in projects, and what people decide about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.view import DRILL, EVERYTHING, View
from package_hunter.cli import only, waiving
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered, answered_in
from package_hunter.cli.console import harmless
from package_hunter.cli.places import place_at, say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance import policy_file
from package_hunter.model.scales import SEVERITIES
from package_hunter.store.database import now_ms
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.locks import FINDINGS, hold
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError
from package_hunter.triage import bulk, claims, listing, notes, results, states
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.chain import Chains, projects_in, scope_name
from package_hunter.triage.impact import Impact
from package_hunter.triage.listing import MAX_PAGE, Order
from package_hunter.triage.values import NewState, Reason, State

app = typer.Typer(help="Findings in projects: listed, decided about.", no_args_is_help=True)
app.command("waive")(waiving.waive)

_Id = Annotated[str, typer.Argument(help="The finding's id (findings list shows it).")]
_At = Annotated[str, typer.Option("--in", help="Only in this project or group.")]
_Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", help=f"KEY=VALUE, as often as you like: only what fits. Keys: {', '.join(only.KEYS)}."
    ),
]
_NewState = Annotated[State, typer.Argument(help="The state.")]
_Reason = Annotated[Reason | None, typer.Option("--reason", help="Why; needed for all but needs_triage.")]
_Remark = Annotated[str, typer.Option("--remark", help="In words.")]
_Until = Annotated[str | None, typer.Option("--until", help="The last day of an acceptance: 2027-03-31.")]


@app.command("list")
def list_(  # noqa: PLR0913 (each is an option)
    at: _At = "",
    only_: _Only = None,
    order: Annotated[Order, typer.Option("--order", help="What comes first.")] = Order.SEEN,
    limit: Annotated[int, typer.Option("--limit", help="How many at most.", min=1, max=MAX_PAGE)] = 50,
    after: Annotated[str | None, typer.Option("--after", help="As the list before said.")] = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List findings: what was seen last first."""
    query = only.pairs(only_ or ()) | {"order": order.value, "limit": limit, "after": after}
    if answered_in("/findings", at, query, (form, server, token_file)):
        return
    filters = only.filters(only_ or ())
    with _reading() as session:
        page = listing.page(session, _view(session, at), filters, limit, after, order)
        judged = results.of_scans(session, list({row.last_scan for row in page.rows}))
        decided = {(s, o.fingerprint): o for s, r in judged.items() for o in r.outcomes}
        chains = Chains(session)
        rows = []
        for row in page.rows:
            outcome = decided.get((row.last_scan, row.fingerprint))
            rows.append(
                (
                    str(row.id),
                    scope_name(chains.of(row.project_id)[-1]).removeprefix("project:"),
                    row.kind + (" (drill)" if row.project_id == DRILL else ""),
                    SEVERITIES[row.severity],
                    row.state + (f" ({row.asks})" if row.asks else ""),
                    "-" if outcome is None else "silenced" if outcome.silenced else outcome.decision.value,
                    row.package or "-",
                    shown_time(row.last_seen) + ("" if row.detected else ", gone"),
                )
            )
    table(("ID", "PROJECT", "KIND", "SEVERITY", "STATE", "POLICY", "PACKAGE", "SEEN"), rows)
    if page.next is not None:
        say(f"There are more: --after {page.next}")


@app.command("show")
def show(
    finding: _Id,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Show a finding: what it does, its state, what the policy makes of it, its notes."""
    if answered(f"/findings/{finding}", {}, (form, server, token_file)):
        return
    with _reading() as session:
        row, chains = _finding(session, finding), Chains(session)
        place, seen = chains.of(row.project_id)[-1], Behaviour.from_json(row.behaviour)
        result = results.of_scans(session, [row.last_scan]).get(row.last_scan)
        found = [o for o in result.outcomes if o.fingerprint == row.fingerprint] if result else []
        lines = [
            row.title,
            *(["this is a drill: nobody attacked"] if row.project_id == DRILL else []),
            f"fingerprint: {row.fingerprint}, {row.kind}, {SEVERITIES[row.severity]}"
            + (", proof" if row.proof else ""),
            f"project: {scope_name(place).removeprefix('project:')}; package: {row.package or 'none'}"
            + (f" (blame: {row.confidence})" if row.confidence else ""),
            f"first seen {shown_time(row.first_seen)}, last {shown_time(row.last_seen)}, in {row.scans} scans"
            + ("" if row.detected else "; no longer detected"),
            f"state: {row.state.replace('_', ' ')}" + (f", it asks again: {row.asks}" if row.asks else ""),
            *(f"  {change}" for change in listing.changes(session, row)),
            *_set_lines(session, row, chains),
            *(
                f"policy: {o.silenced or o.decision.value}" + (f" ({o.rule})" if o.rule else "")
                for o in found
            ),
            *(f"policy, only warning: {label}" for o in found for label in o.warned),
            *(f"policy, only noted: {label}" for o in found for label in o.logged),
        ]
        holder, why = claims.holder_of(row, now_ms()), states.why_not(session, place, row, chains)
        lines += [f"{holder} is on it until {shown_time(row.claimed_until)}"] if holder else []
        lines += [f"nobody silences it alone: {why}"] if why else []
        lines += [f"done to: {', '.join(seen.subjects[:20])}"] if seen.subjects else []
        lines += [f"note by {n.who}, {shown_time(n.time)}: {n.text}" for n in notes.listed(session, row)]
    for line in lines:
        typer.echo(harmless(line))


def _set_lines(session: Session, row: FindingRow, chains: Chains) -> list[str]:
    held = listing.state_of(session, row)
    if held is None:
        return []
    scope = next((scope_name(p) for p in chains.of(row.project_id) if p.key == held.place), held.place)
    why = ": ".join(part for part in ((held.reason or "").replace("_", " "), held.remark) if part)
    end = f", until {held.until}" if held.until else ""
    by = f", by proposal {held.proposal}" if held.proposal else ""
    return [
        f"set to {held.state.replace('_', ' ')} for {scope} by {held.who}{end}{by}"
        + (f": {why}" if why else "")
    ]


@app.command("set")
def set_(
    finding: _Id,
    state: _NewState,
    reason: _Reason = None,
    remark: _Remark = "",
    until: _Until = None,
    scope: Annotated[
        str, typer.Option("--for", help="A group's path, or all; unset: the finding's project.")
    ] = "",
) -> None:
    """Set a finding's state: in its project, in a group, or for all."""
    new = NewState(state, reason, remark, _day(until))
    with _writing() as session:
        row = _finding(session, finding)
        place = Chains(session).of(row.project_id)[-1] if not scope else _scope(session, scope)
        states.set_state(session, command_line(), place, row.fingerprint, new)
        where = scope_name(place)
    say(f"{finding} is {state.value.replace('_', ' ')} now ({where}).")


@app.command("bulk")
def bulk_(  # noqa: PLR0913 (each is an option)
    new_state: _NewState,
    reason: _Reason = None,
    remark: _Remark = "",
    until: _Until = None,
    at: _At = "",
    only_: _Only = None,
    apply: Annotated[
        str | None, typer.Option("--apply", help="Do what the preview of this digest said.")
    ] = None,
) -> None:
    """Set the state of all findings that the filters mean: first shows what it would do, then does it."""
    filters = only.filters(only_ or ())
    new, by = NewState(new_state, reason, remark, _day(until)), command_line()
    if apply is not None:
        with _writing() as session:
            number, refused = bulk.apply(session, by, _view(session, at), filters, new, apply)
        _refused(refused)
        say(
            f"{number} findings are {new_state.value.replace('_', ' ')} now, {len(refused)} stay as they are."
        )
        return
    with _reading() as session:
        seen = bulk.preview(session, by, _view(session, at), filters, new)
    _refused(seen.refused)
    typer.echo(
        f"{seen.findings} findings in {seen.projects} projects would be {new_state.value.replace('_', ' ')} "
        f"({seen.detected} of them scans still find); {len(seen.refused)} would stay as they are."
    )
    print_impact(seen.impact)
    say(f"To do exactly this: the same with --apply {seen.digest}")


def _refused(refused: tuple[bulk.Refused, ...]) -> None:
    for one in refused:
        typer.echo(harmless(f"{one.finding} stays: {one.why}"))


def print_impact(impact: Impact) -> None:
    """What a change would do to the newest scans."""
    left = f", {impact.not_tried} were not tried" if impact.not_tried else ""
    typer.echo(
        f"{impact.milder} scans would be decided milder, {impact.stricter} stricter ({impact.tried} tried{left})."
    )
    for flip in impact.flips[:50]:
        typer.echo(harmless(f"  {flip.line}, scan {flip.scan}: {flip.before} -> {flip.after}"))
    if len(impact.flips) > 50:
        typer.echo(f"  and {len(impact.flips) - 50} more")


@app.command("note")
def note(
    finding: _Id,
    text: Annotated[str, typer.Argument(help="The note.")],
    to: Annotated[str | None, typer.Option("--to", help="The id of the note that it answers.")] = None,
) -> None:
    """Write a note on a finding."""
    with _writing() as session:
        row = _finding(session, finding)
        made = notes.add(session, command_line(), row, text, None if to is None else _uuid(to))
        typer.echo(str(made.id))


@app.command("claim")
def claim(
    finding: _Id,
    hours: Annotated[int, typer.Option("--hours", help="For how long.")] = claims.USUAL_HOURS,
    release: Annotated[bool, typer.Option("--release", help="Let go of it.")] = False,
) -> None:
    """Say that one is on a finding, or let go of it."""
    with _writing() as session:
        row = _finding(session, finding)
        if release:
            claims.release(session, command_line(), row)
        else:
            claims.claim(session, command_line(), row, hours)
    say("Nobody is on it now." if release else f"You are on it for {hours} hours.")


@contextmanager
def _reading() -> Iterator[Session]:
    config = settings()
    policy_file.use(config.policy_file)
    with open_store(config).read() as session:
        yield session


@contextmanager
def _writing() -> Iterator[Session]:
    config = settings()
    policy_file.use(config.policy_file)
    with open_store(config).write() as session:
        hold(session, FINDINGS)
        yield session


def _finding(session: Session, text: str) -> FindingRow:
    found = listing.get(session, EVERYTHING, _uuid(text))
    if found is None:
        raise MissingError(f"There is no finding {text[:64]!r}.", "See package-hunter findings list.")
    return found


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise UsageError(f"{text[:64]!r} is no id.", "See package-hunter findings list.") from None


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day.", "Write it as 2027-03-31.") from None


def _scope(session: Session, text: str) -> Place:
    place = Place() if text == "all" else place_at(session, text)
    if place.project is not None:
        raise UsageError(f"{text!r} is a project.", "Leave --for out: then it is the finding's own project.")
    return place


def _view(session: Session, at: str) -> View:
    inside = projects_in(session, place_at(session, at))
    return EVERYTHING if inside is None else View(frozenset(inside))
