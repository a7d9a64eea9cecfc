"""`package-hunter audit`: is the history whole, and the history for other systems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from package_hunter.audit import export, keys
from package_hunter.audit.sealer import Sealer
from package_hunter.audit.verify import verify
from package_hunter.cli.console import harmless
from package_hunter.cli.places import say
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import HunterError, UsageError

app = typer.Typer(help="The history of changes: sealed, verified, exported.", no_args_is_help=True)

_Keys = Annotated[
    list[Path] | None, typer.Option("--public-key", help="Of another server's sealer; as often as you like.")
]
_Kept = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="A seal that was kept elsewhere: it must be there.")
]


@app.command("verify")
def verify_history(public_key: _Keys = None, checkpoint: _Kept = None) -> None:
    """Check each entry and seal; exit code 1 where something was changed, removed, reordered or forged."""
    config = settings()
    kept = [seal for path in checkpoint or () if (seal := _checkpoint(path))]
    if (own := keys.head(keys.folder(config) / "head.json")) is not None:
        kept.append(own)
    known = keys.public_keys(config, public_key or ())  # while the store is open, files are read as its owner
    with open_store(config).read() as session:
        found = verify(session, known, kept)
    for problem in found.problems:
        typer.echo(harmless(problem))
    state = "whole" if not found.problems else "not what was sealed"
    say(f"{found.entries} sealed entries, {found.unsealed} that wait for their seal: the history is {state}.")
    raise typer.Exit(1 if found.problems else 0)


@app.command("export")
def export_history(
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(export.FORMS)}.")] = "jsonl",
    after: Annotated[int, typer.Option(help="Only entries with numbers above this one.", min=0)] = 0,
) -> None:
    """Print the history, a line an entry, oldest first."""
    if form not in export.FORMS:
        raise UsageError(f"There is no format {form!r}.", f"Formats: {', '.join(export.FORMS)}.")
    with open_store(settings()).read() as session:
        for line in export.lines(session, form, after):
            typer.echo(line)


@app.command("seal")
def seal_now() -> None:
    """Seal what waits, now (a server does so every second)."""
    config = settings()
    store = open_store(config)
    number = Sealer(store, config).seal()
    store.close()
    say(f"{number} entries are sealed.")


@app.command("key")
def print_key() -> None:
    """Print the public half of the key that seals the history and signs bundles; its fingerprint goes to stderr."""
    public = keys.signing_key(settings()).public_key()
    typer.echo(keys.public_text(public).decode(), nl=False)
    typer.echo(f"fingerprint: {keys.key_name(public)}", err=True)


@app.command("checkpoint")
def print_checkpoint() -> None:
    """Print the last seal, to be kept elsewhere: evidence of all that is before it."""
    path = keys.folder(settings()) / "head.json"
    if keys.head(path) is None:
        raise HunterError("Nothing is sealed yet.", "Run package-hunter audit seal.")
    typer.echo(json.dumps(json.loads(path.read_bytes())))


def _checkpoint(path: Path) -> dict[str, object]:
    found = keys.head(path)
    if found is None:
        raise UsageError(f"There is no file {path}.", "Make one: audit checkpoint.")
    return found
