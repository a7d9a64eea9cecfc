"""`package-hunter policy`: check a policy file, and try it on stored reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from package_hunter.cli.diff import read_report
from package_hunter.findings import verdict as verdict_of
from package_hunter.policy import apply_waivers, decide, load_policy
from package_hunter.report.harmless import harmless

app = typer.Typer(help="Check a policy file, and try it on stored reports.", no_args_is_help=True)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The policy file (TOML).")]) -> None:
    """Say whether a policy file is sound. Exit codes: 0 it is, 2 it is not."""
    policy = load_policy(file)
    typer.echo(f"{harmless(file)}: {len(policy.rules)} rules, {len(policy.waivers)} waivers.")
    for value, decision in policy.by_verdict:
        typer.echo(f"  {value.replace('_', ' ')}: {decision}")
    for notice in apply_waivers((), policy).notices:
        if " expired " in notice:
            typer.echo(f"  {harmless(notice)}")


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="The policy file (TOML).")],
    reports: Annotated[list[Path], typer.Argument(help="JSON reports of scans.")],
) -> None:
    """Show what the policy would decide on stored reports; nothing is changed."""
    policy = load_policy(file)
    for path in reports:
        report = read_report(path)
        packages = {p.purl: p for p in report.packages}
        waived = apply_waivers(report.findings, policy, packages=packages)
        verdict = verdict_of(waived.findings, report.coverage)
        decision = decide(verdict, waived.findings, policy, packages)
        count = sum(f.waived is not None for f in waived.findings)
        was = f"{report.verdict}/{report.decision}"
        typer.echo(f"{harmless(path)}: {was} -> {verdict}/{decision}, {count} waived")
        for notice in waived.notices:
            typer.echo(f"  {harmless(notice)}")
