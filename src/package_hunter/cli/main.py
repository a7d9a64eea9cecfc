"""The console script: finds the command, loads only what it needs, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated

import typer

from package_hunter import __version__
from package_hunter.cli.console import OutputError, complain, told_output
from package_hunter.errors import HunterError

# command -> module:attribute of a function or of a typer app; help is shown in this order
COMMANDS = {
    "scan": "package_hunter.cli.scan:scan",
    "replay": "package_hunter.cli.replay:replay",
    "bundle": "package_hunter.cli.bundle:bundle",
    "verify": "package_hunter.cli.bundle:verify",
    "simulate": "package_hunter.cli.simulate:simulate",
    "diff": "package_hunter.cli.diff:diff",
    "policy": "package_hunter.cli.policy:app",
    "rules": "package_hunter.cli.rules:app",
    "serve": "package_hunter.cli.serve:serve",
    "worker": "package_hunter.cli.serve:worker",
    "workers": "package_hunter.cli.workers:app",
    "scans": "package_hunter.cli.scans:app",
    "user": "package_hunter.cli.accounts:user",
    "token": "package_hunter.cli.accounts:token",
    "group": "package_hunter.cli.places:group",
    "project": "package_hunter.cli.places:project",
    "member": "package_hunter.cli.places:member",
    "gate": "package_hunter.cli.gate:app",
    "who-has": "package_hunter.cli.inventory:who_has",
    "inventory": "package_hunter.cli.inventory:inventory",
    "osv": "package_hunter.cli.inventory:osv_app",
    "proposals": "package_hunter.cli.proposals:app",
    "break-glass": "package_hunter.cli.proposals:break_glass",
    "notices": "package_hunter.cli.notices:app",
    "findings": "package_hunter.cli.findings:app",
    "drill": "package_hunter.cli.drill:app",
    "identity": "package_hunter.cli.identity:app",
    "hold": "package_hunter.cli.hold:hold",
    "retention": "package_hunter.cli.retention:retention",
    "audit": "package_hunter.cli.audit:app",
    "database": "package_hunter.cli.database:app",
    "doctor": "package_hunter.cli.doctor:doctor",
    "image": "package_hunter.cli.image:app",
}


def _version(show: bool) -> None:
    if show:
        typer.echo(f"package-hunter {__version__}")
        raise typer.Exit


def _name_ecosystems() -> None:
    """Say to every stage which ecosystems there are, whatever the command loads of them."""
    from package_hunter.ecosystems import known  # noqa: F401 (importing it says so)


def build_app(requested: str | None) -> typer.Typer:
    """The command line with just the requested command loaded, or all of them for help."""
    app = typer.Typer(
        name="package-hunter",
        help="Run dependencies in a sealed box, watch every system call, and tell which package did what.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        pass

    if requested == "--version":
        return app
    _name_ecosystems()
    for name in [requested] if requested in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name].split(":")
        command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main(argv: list[str] | None = None) -> int:
    """Run the command line and end the process with the contract's exit code (docs/cli.md)."""
    arguments = sys.argv[1:] if argv is None else argv
    requested = next((a for a in arguments if a == "--version" or not a.startswith("-")), None)
    try:
        with (
            told_output()
        ):  # what is still held goes out in here: at Python's exit its failure would be a traceback
            build_app(requested)(args=arguments, prog_name="package-hunter")
    except OutputError as error:
        _forget_output()
        complain(error.message, error.advice)
        sys.exit(error.exit_code)
    except HunterError as error:
        complain(error.message, error.advice)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        complain("Interrupted.")
        sys.exit(130)
    except BrokenPipeError:
        # whoever read our output is gone: nothing to say, and Python must not complain at exit either
        _forget_output()
        sys.exit(0)
    except Exception as error:
        complain(
            f"Package Hunter itself failed: {type(error).__name__}: {error}",
            "Set PACKAGE_HUNTER_TRACEBACK=1 and run it again for the details that a bug report needs.",
        )
        if os.environ.get("PACKAGE_HUNTER_TRACEBACK") == "1":
            raise
        sys.exit(70)
    return 0


def _forget_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
