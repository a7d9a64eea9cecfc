"""`package-hunter image`: the file system that boxes start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Build the image that sandboxes start from.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Build the image that sandboxes start from."""


@app.command()
def build(
    node: Annotated[
        int | None,
        typer.Option(help="Node.js major version, such as 16 (the newest of it); the default is 24."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            help="Python minor version, such as 3.14, of the host's release or a newer suite of its archive."
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A container image to start from, as docker save or an OCI layout gives it."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build it although it is there.")] = False,
) -> None:
    """Build the sandbox image, unless it is there already, and print its path.

    With an option it is another image beside the default one; PACKAGE_HUNTER_IMAGE=PATH has scans use it.
    """
    from package_hunter.cli.console import Progress
    from package_hunter.errors import UsageError
    from package_hunter.sandbox.image import Variant, build_image
    from package_hunter.sandbox.image.archive import build_from

    if archive is not None and (node or python):
        raise UsageError("An archive brings its own versions.", "Leave out --node and --python, or --from.")
    if archive is not None:
        path = build_from(archive, force, Progress())
    else:
        path = build_image(force, Progress(), Variant(node, python))
    typer.echo(str(path))
    if archive is not None or node or python:
        typer.echo(f"Scans use it with PACKAGE_HUNTER_IMAGE={path.stem}", err=True)
