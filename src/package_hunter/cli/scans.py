"""`package-hunter scans`: the scans of a server, or of this machine's store: listed, followed, ended, made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.cli import submit
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, print_json
from package_hunter.cli.console import Progress, harmless
from package_hunter.cli.places import say, table
from package_hunter.cli.scans_here import LocalScans
from package_hunter.cli.serve import open_store
from package_hunter.client import credentials
from package_hunter.client.remote import Remote
from package_hunter.client.scans import RemoteScans
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.model.priority import Urgency
from package_hunter.model.scan import Decision, ScanStatus, Verdict
from package_hunter.store.scan_list import MAX_PAGE

app = typer.Typer(help="Scans: listed, followed, ended, made again, deleted.", no_args_is_help=True)
app.command("submit")(submit.submit)


_Id = Annotated[str, typer.Argument(help="The scan's id.")]
_Why = Annotated[str, typer.Option("--why", help="Why: for people, and the history.")]
_Urgency = Annotated[Urgency, typer.Option("--priority", help="Who comes first of those that wait.")]
_Digest = Annotated[str | None, typer.Argument(help="Fetch the file of this SHA-256; unset: list them.")]
_Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where a fetched file goes.")]


@contextmanager
def _scans(server: str | None, token_file: Path | None) -> Iterator[LocalScans | RemoteScans]:
    if server is None:
        store = open_store(settings())
        try:
            yield LocalScans(settings(), store)
        finally:
            store.close()
        return
    with Remote(server, credentials.find(token_file), Progress(False)) as remote:
        yield RemoteScans(remote)


@app.command("list")
def list_(  # noqa: PLR0913 (each is an option)
    project: Annotated[str | None, typer.Option(help="Only those of this project.")] = None,
    status: Annotated[ScanStatus | None, typer.Option(help="Only of this status.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only with this verdict.")] = None,
    decision: Annotated[Decision | None, typer.Option(help="Only those that the policy decided so.")] = None,
    ecosystem: Annotated[str | None, typer.Option(help="An ecosystem, or a package manager of it.")] = None,
    package: Annotated[
        str | None, typer.Option(help="A package URL: scans of it, and those that found it installed.")
    ] = None,
    submitter: Annotated[str | None, typer.Option(help="An account.")] = None,
    depth: Annotated[DepthName | None, typer.Option(help="Only those that were to look so far.")] = None,
    since: Annotated[str | None, typer.Option(help="Accepted at this time or later: 2026-11-30.")] = None,
    until: Annotated[str | None, typer.Option(help="Accepted before this time.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=MAX_PAGE)] = 50,
    before: Annotated[str | None, typer.Option(help="As the list before said.")] = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List scans, newest first; all that is asked must fit."""
    asked = {k: v for k, v in locals().items() if k in _FILTERS and v is not None}
    with _scans(server, token_file) as scans:
        page = _refused_as_usage(lambda: scans.list(asked))
    if form is Form.JSON:
        print_json(page)
        return
    _table(page["scans"])
    if page["next"] is not None:
        say(f"There are more: --before {page['next']}")


_FILTERS = (
    *("project", "status", "verdict", "decision", "ecosystem", "package"),
    *("submitter", "depth", "since", "until", "limit", "before"),
)


def _refused_as_usage(act: Any) -> Any:
    from pydantic import ValidationError

    try:
        return act()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"--{where} is wrong: {first['msg']}.", "See scans list --help.") from None


def _table(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            str(scan["id"]),
            str(scan["status"]),
            str(scan["verdict"] or "-").replace("_", " "),
            str(scan["decision"] or "-"),
            str(scan["created"])[:16],
            str(scan["submitter"]),
            str(scan["target"]),
        )
        for scan in found
    ]
    table(("ID", "STATUS", "VERDICT", "DECISION", "CREATED", "BY", "TARGET"), rows)


@app.command("show")
def show(scan: _Id, form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """Show how a scan stands."""
    with _scans(server, token_file) as scans:
        _show(scans.show(scan), form)


def _show(values: dict[str, Any], form: Form) -> None:
    if form is Form.JSON:
        print_json(values)
        return
    for key, value in values.items():
        if value is not None:
            typer.echo(harmless(f"{key.replace('_', ' ')}: {value}"))


@app.command("cancel")
def cancel(
    scan: _Id, why: _Why = "", form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None
) -> None:
    """End a scan that is not wanted any more: at once where it waits, within a second where it runs."""
    with _scans(server, token_file) as scans:
        _show(scans.cancel(scan, why), form)


@app.command("rescan")
def rescan(
    scan: _Id,
    depth: Annotated[DepthName | None, typer.Option(help="How far to look; unset: as it was.")] = None,
    priority: _Urgency = Urgency.NORMAL,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Scan the same once more, without known results; prints the new scan."""
    with _scans(server, token_file) as scans:
        _show(scans.rescan(scan, None if depth is None else depth.value, priority.value), form)


@app.command("rejudge")
def rejudge(scan: _Id, form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """Have a scan's recording judged by the rules of now: a running server does it."""
    with _scans(server, token_file) as scans:
        _show(scans.rejudge(scan), form)


@app.command("delete")
def delete(
    scan: _Id,
    why: Annotated[str, typer.Option("--why", help="Why: for the history.")],
    force: Annotated[bool, typer.Option("--force", help="Although an open finding rests on it.")] = False,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Delete a scan, its report and what is kept of it; the history keeps what it was."""
    with _scans(server, token_file) as scans:
        scans.delete(scan, why, force)
    if form is Form.JSON:
        print_json(None)  # the API answers nothing
    say(f"Scan {scan} is deleted.")


@app.command("dead")
def dead(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 100,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List dead letters: scans that failed through faults of ours."""
    with _scans(server, token_file) as scans:
        found = scans.dead(limit)
    if form is Form.JSON:
        print_json(found)
    else:
        _table(found["scans"])


@app.command("rerun")
def rerun(
    scan: _Id,
    priority: _Urgency = Urgency.NORMAL,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Let a dead letter wait again."""
    with _scans(server, token_file) as scans:
        _show(scans.rerun(scan, priority.value), form)


@app.command("events")
def events(scan: _Id, form: AsForm = Form.TEXT, server: Server = None, token_file: TokenFile = None) -> None:
    """Follow a scan until it ends; with --format json a line an event."""
    with _scans(server, token_file) as scans:
        for event in scans.events(scan):
            if form is Form.JSON:
                typer.echo(json.dumps(event))
                continue
            data = event["data"] if isinstance(event["data"], dict) else {}
            if event["event"] == "end":
                said = data.get("verdict") or data.get("reason") or data.get("status")
                typer.echo(harmless(f"ended: {str(said).replace('_', ' ')}"))
            else:
                typer.echo(harmless(f"{event['event']}: {data.get('text') or data.get('status') or ''}"))


@app.command("recordings")
def recordings(
    scan: _Id,
    digest: _Digest = None,
    output: _Output = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the recordings of a scan, or fetch one."""
    with _scans(server, token_file) as scans:
        if digest is None:
            _files(scans.files(scan, "recordings"), form)
            return
        _fetch(scans, (scan, "recordings", digest), output or Path(f"{scan}-{digest[:12]}.scap"))


@app.command("dropped")
def dropped(  # noqa: PLR0913 (each is an option)
    scan: _Id,
    digest: _Digest = None,
    output: _Output = None,
    recipient: Annotated[
        str | None, typer.Option(help="Encrypt it to this age recipient, or SSH public key.")
    ] = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the files that packages left in the box, or fetch one: as a ZIP (password: infected), or encrypted."""
    with _scans(server, token_file) as scans:
        if digest is None:
            _files(scans.files(scan, "dropped"), form)
            return
        end = "zip" if recipient is None else "age"
        _fetch(scans, (scan, "dropped", digest), output or Path(f"{digest}.{end}"), recipient)


def _files(found: dict[str, Any], form: Form) -> None:
    if form is Form.JSON:
        print_json(found)
        return
    rows = [(str(one["digest"]), str(one["size"]), str(one["name"])) for one in found["items"]]
    table(("SHA256", "BYTES", "NAME"), rows)


def _fetch(
    scans: LocalScans | RemoteScans, which: tuple[str, str, str], to: Path, recipient: str | None = None
) -> None:
    scans.fetch(*which, to, recipient)
    say(f"{to} is written.")
