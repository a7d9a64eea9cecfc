"""`package-hunter doctor`: can this host scan, and if not, what is missing."""

from __future__ import annotations

import secrets
import subprocess
import time
from typing import Annotated

import typer

from package_hunter.cli.console import harmless
from package_hunter.config import Settings, settings
from package_hunter.errors import HunterError

_RULES_SECONDS = 3.0  # a built-in rule's alert on the mark's command comes with the mark's own


def doctor(
    falco: Annotated[
        bool,
        typer.Option("--falco", help="Also try the connection to a running Falco, and print its settings."),
    ] = False,
) -> None:
    """Check that this host has what a scan needs, and say how to mend what is missing."""
    from package_hunter.sandbox.doctor import Check, checks

    config = settings()
    results = checks()
    if falco or config.engine == "falco":
        results.append(Check("falco", *_try_falco(config)))
    for check in results:
        typer.echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {harmless(check.detail)}")
        if not check.ok and check.advice:
            typer.echo(f"    {check.advice}")
    if falco:
        typer.echo(_falcos_side(config))
    bad = [check.name for check in results if not check.ok]
    typer.echo("This host can scan." if not bad else f"This host cannot scan yet: {', '.join(bad)}.")
    raise typer.Exit(70 if bad else 0)


def _try_falco(config: Settings) -> tuple[bool, str, str]:
    """Runs a command that Falco's rule of ours reports, and waits for the alert: ok, detail, advice."""
    from package_hunter.rules import builtin_files
    from package_hunter.sensor.falco import MARKED, Box, FalcoWatch, open_source
    from package_hunter.sensor.falco.setup import missing

    try:
        watch = FalcoWatch(open_source(config.falco), Box("doctor"))
        watch.start()
    except HunterError as error:
        return False, error.message, error.advice
    try:
        mark, began = watch.new_mark(), time.monotonic()
        subprocess.run([MARKED, mark], check=False, capture_output=True)  # there is no such user
        alert = watch.wait(mark, config.falco_wait)
        took = time.monotonic() - began
        if alert is None:
            advice = (
                "Falco does not run, has not our rule, or sends its alerts elsewhere: see `doctor --falco`."
            )
            return False, f"it did not report our mark within {config.falco_wait:g} s{watch.heard()}", advice
        lacking = missing(alert)
        if lacking:
            advice = "Set append_output in falco.yaml: see `doctor --falco`."
            return False, f"its alerts lack {', '.join(lacking)}", advice
        if not watch.wait_for_rules(_RULES_SECONDS):
            advice = (
                f"Load {', '.join(map(str, builtin_files()))}, with priority: debug and rule_matching: all."
            )
            return False, "it reported our mark, but has not loaded our rules", advice
        return True, f"it reported our mark after {took:.1f} s", ""
    finally:
        watch.stop()


def _falcos_side(config: Settings) -> str:
    """What falco.yaml and a rule file have to say."""
    from package_hunter.rules import builtin_files
    from package_hunter.sensor.falco.place import Http, place
    from package_hunter.sensor.falco.setup import RULE, falco_yaml

    lines = []
    if config.falco:
        where = place(config.falco)
    else:
        where = Http("127.0.0.1", 2802, secrets.token_urlsafe(24))
        lines = [
            "\nIn the environment of Package Hunter (a new secret; or the path of a file):\n",
            f"PACKAGE_HUNTER_ENGINE=falco\nPACKAGE_HUNTER_FALCO={where.url}\n",
        ]
    lines += [
        "\nIn /etc/falco/falco.yaml (in place of its own lines of the same names):\n",
        falco_yaml(where),
        "\nUnder rules_files in falco.yaml, or as copies in /etc/falco/rules.d, our rules (without them a scan "
        "is inconclusive):\n",
        "".join(f"  - {file}\n" for file in builtin_files()),
        "\nIn /etc/falco/rules.d/package-hunter.yaml:\n",
        RULE,
    ]
    return "\n".join(lines)
