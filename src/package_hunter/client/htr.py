"""`htr analyze`: the original's command line, so that pipelines written for it go on working.

`htr analyze --format gitlab --manager npm project.tgz` prints a report on stdout. Server and credentials come
from HTR_host, HTR_user, HTR_pass, or ~/.htrrc; our own PACKAGE_HUNTER_SERVER and tokens are taken too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from package_hunter import report
from package_hunter.client import credentials
from package_hunter.client.scan import RemoteOptions, scan_remotely
from package_hunter.config import settings
from package_hunter.ecosystems import known  # noqa: F401 (says to the reports which there are)
from package_hunter.errors import HunterError, UsageError

DEFAULT_SERVER = "http://localhost:3000"

app = typer.Typer(
    name="htr",
    help="Let a Package Hunter server analyze a project.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Makes `analyze` a command of its own though it is the only one."""


@app.command()
def analyze(
    target: Annotated[str, typer.Argument(help="Archive (.tgz), directory, or purl.")],
    format: Annotated[str | None, typer.Option("--format", help="gitlab, json, text, ...")] = None,
    manager: Annotated[str, typer.Option("--manager", help="npm, yarn, bundler, ...")] = "npm",
) -> None:
    """Send a project to the server, wait, and print its report: text on a terminal, JSON else.

    As the original's, it exits with 0 whatever was found; what failed has the exit codes of docs/cli.md.
    """
    name = format or ("text" if sys.stdout.isatty() else "json")
    if name not in report.FORMATS:
        raise UsageError(
            f"There is no report format {name!r}.", f"Choose one of: {', '.join(report.FORMATS)}."
        )
    htr = credentials.htr_settings()
    server = os.environ.get("PACKAGE_HUNTER_SERVER") or htr.url or DEFAULT_SERVER
    auth = credentials.find() or htr.auth
    result = scan_remotely(target, server, auth, settings(), _say, RemoteOptions(manager))
    sys.stdout.write(report.FORMATS[name](result))


def main() -> None:
    """The console script."""
    try:
        app()
    except HunterError as error:
        _say(error.message)
        if error.advice:
            _say(error.advice)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(message: str) -> None:
    printable = "".join(c if c.isprintable() else "?" for c in message)
    print(f"{Path(sys.argv[0]).name}: {printable}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
