"""`package-hunter image`: the file system that boxes start from."""

from __future__ import annotations

import typer

app = typer.Typer(help="Build the image that sandboxes start from.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Build the image that sandboxes start from."""


@app.command()
def build() -> None:
    """Build the sandbox image, unless it is there already."""
    from package_hunter.cli.console import Progress
    from package_hunter.sandbox.image import build_image

    typer.echo(str(build_image(progress=Progress())))
