"""`package-hunter policy`: policy files, checked and tried; the policies of a server, by scope."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from package_hunter.cli import scopes, waiving
from package_hunter.cli.diff import read_report
from package_hunter.model.scan import Decision
from package_hunter.policy import apply_waivers, load_policy
from package_hunter.policy.rejudge import rejudge
from package_hunter.report.harmless import harmless

app = typer.Typer(help="Check and try policy files; see and set those of a server.", no_args_is_help=True)
app.command("show")(scopes.show)
app.command("propose")(waiving.propose_policy)
app.command("put")(scopes.put)
app.command("sync")(scopes.sync)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The policy file (TOML).")],
    own: Annotated[
        bool, typer.Option("--own", help="As the own file of a project that is scanned: what it may say.")
    ] = False,
) -> None:
    """Say whether a policy file is sound. Exit codes: 0 it is, 2 it is not."""
    policy = load_policy(file, inside=own)
    typer.echo(f"{harmless(file)}: {len(policy.rules)} rules, {len(policy.waivers)} waivers.")
    for value, decision in policy.by_verdict:
        if not own or decision is not Decision.PASS:
            typer.echo(f"  {value.replace('_', ' ')}: {decision}")
    if own:
        typer.echo("  It waives nothing that is proof, and makes no decision milder than the user's policy.")
    elif policy.own_file:
        accounts = ", ".join(harmless(a) for a in policy.own_file_from)
        typer.echo(f"  a project's own file is heeded, on a server in what these submit: {accounts}")
    for notice in apply_waivers((), policy).notices:
        if " expired " in notice:
            typer.echo(f"  {harmless(notice)}")


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="The policy file (TOML).")],
    reports: Annotated[list[Path], typer.Argument(help="JSON reports of scans.")],
) -> None:
    """Show what the policy would decide on stored reports, without the marks of the one that they were made
    under; nothing is changed."""
    policy = load_policy(file)
    for path in reports:
        report = read_report(path)
        bare = replace(report, findings=tuple(replace(f, waived=None) for f in report.findings), notices=())
        judged = rejudge(bare, policy)
        count = sum(f.waived is not None for f in judged.findings)
        was, now = f"{report.verdict}/{report.decision}", f"{judged.verdict}/{judged.decision}"
        typer.echo(f"{harmless(path)}: {was} -> {now}, {count} waived")
        for notice in judged.notices:
            typer.echo(f"  {harmless(notice)}")
