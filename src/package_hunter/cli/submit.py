"""`package-hunter scans submit`: something to scan, handed in; a worker scans it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from package_hunter.cli.asking import AsForm, Form, Json, Server, TokenFile, api, print_json, said
from package_hunter.cli.console import Progress, harmless
from package_hunter.cli.places import say
from package_hunter.client.scan import RemoteOptions, submission
from package_hunter.client.scans import RemoteScans
from package_hunter.config import settings
from package_hunter.model.depth import DepthName
from package_hunter.model.priority import Urgency
from package_hunter.model.scan import Decision, Verdict

_PAUSE_SECONDS = 1.0


def submit(  # noqa: PLR0913 (each is an option)
    target: Annotated[str, typer.Argument(help="A directory, an archive, or a purl such as pkg:npm/x@1.")],
    ecosystem: Annotated[str | None, typer.Option(help="What it is of; unset: find out.")] = None,
    project: Annotated[str | None, typer.Option(help="The project's path; unset: the account's own.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Scan even what was scanned lately.")] = False,
    depth: Annotated[DepthName | None, typer.Option(help="How far to look.")] = None,
    priority: Annotated[Urgency | None, typer.Option(help="Who comes first of those that wait.")] = None,
    commit: Annotated[str | None, typer.Option(help="The commit whose tree this is.")] = None,
    ref: Annotated[str | None, typer.Option(help="With --commit: its ref.")] = None,
    merge_request: Annotated[str | None, typer.Option(help="With --commit: number of its request.")] = None,
    base: Annotated[str | None, typer.Option(help="With --commit: what it is to be merged into.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its end; 0: do not.", min=0)] = 0,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Hand in something to scan; prints the scan. Unlike `scan --server`, it fetches no report.

    Exit codes: 0 submitted (with --wait: as `scan`, below block), 1 blocked, 4 inconclusive or not over in time.
    """
    tree = said({"commit": commit, "ref": ref, "merge_request": merge_request, "base": base})
    asked = RemoteOptions(
        ecosystem, fresh, depth, tree, project, None if priority is None else priority.value
    )
    with (
        api(server, token_file) as remote,
        submission(target, settings(), Progress(form is Form.JSON), asked) as what,
    ):
        found = remote.submit(what)
        scans, end = RemoteScans(remote), time.monotonic() + wait
        while found["status"] in ("pending", "running") and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)
            found = scans.show(str(found["id"]))
    if form is Form.JSON:
        print_json(found)
    else:
        typer.echo(found["id"])
        say(harmless(f"{found['target']}: {found['verdict'] or found['reason'] or found['status']}"))
    raise typer.Exit(_code(found) if wait else 0)


def _code(found: Json) -> int:
    """As `scan` ends with the same."""
    from package_hunter.policy.decide import exit_code  # late: it costs what only this needs

    if found["status"] != "finished":
        return int(found["exit_code"] or 70) if found["status"] in ("failed", "cancelled") else 4
    return exit_code(Verdict(found["verdict"]), Decision(found["decision"]))
