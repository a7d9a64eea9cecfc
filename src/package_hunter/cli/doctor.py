"""`package-hunter doctor`: can this host scan, and if not, what is missing."""

from __future__ import annotations

import typer

from package_hunter.cli.console import harmless


def doctor() -> None:
    """Check that this host has what a scan needs, and say how to mend what is missing."""
    from package_hunter.sandbox.doctor import checks

    results = checks()
    for check in results:
        typer.echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {harmless(check.detail)}")
        if not check.ok and check.advice:
            typer.echo(f"    {check.advice}")
    bad = [check.name for check in results if not check.ok]
    typer.echo("This host can scan." if not bad else f"This host cannot scan yet: {', '.join(bad)}.")
    raise typer.Exit(70 if bad else 0)
