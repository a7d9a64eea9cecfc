"""`package-hunter bundle` and `verify`: a verdict that anybody can check.

What they work with brings half the server along: it is loaded once it is clear that there is something to do.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from package_hunter import given
from package_hunter.cli.console import complain, harmless
from package_hunter.errors import HunterError, UsageError

if TYPE_CHECKING:
    from package_hunter.bundle import Trust
    from package_hunter.bundle.make import Source

_NAME = re.compile(r"[0-9a-f]{32}")


def bundle(
    scan: Annotated[str | None, typer.Argument(help="The id of a scan of this server.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file.")
    ] = Path("bundle.zip"),
    report: Annotated[
        Path | None, typer.Option(help="In place of SCAN: the JSON report of `scan --record`.")
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="With --report: its recording; those of further boxes are found beside it."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="With --report: the policy file that it was judged by.")
    ] = None,
    own_policy: Annotated[
        Path | None, typer.Option(help="With --report: the scanned folder's own, where it had a say.")
    ] = None,
) -> None:
    """Put a verdict, signed, into one file with all that it came from, for `verify`.

    Exit codes: 0 made, 1 the recording does not come to the report's verdict, 2 usage, 3 no recording, 4 there is
    nothing to make one of, 70 our own failure.
    """
    source = _source(scan, report, recording, (policy, own_policy))
    from package_hunter.audit import keys
    from package_hunter.bundle import Trust
    from package_hunter.bundle import verify as check
    from package_hunter.bundle.make import to_file
    from package_hunter.config import settings

    key = keys.signing_key(settings())
    with source as made:
        digest = to_file(made, output, key)
    found = check(output, Trust(keys=(key.public_key(),)))
    for line in found.differences:
        complain(line)
    if found.differences and not found.notes:  # of another version of ours, that version can check it
        output.unlink()
        raise typer.Exit(1)
    typer.echo(f"{harmless(str(output))}: {found.verdict}, {found.decision}; signed by {found.key}")
    typer.echo(f"sha256 of what is signed: {digest}")


def _source(
    scan: str | None, report: Path | None, recording: Path | None, policies: tuple[Path | None, Path | None]
) -> AbstractContextManager[Source]:
    """What it is to be made of; UsageError, before anything is loaded, where what was asked makes no sense."""
    if (report is None) != (recording is None):
        raise UsageError("--report and --recording go together.", "Give both.")
    if report is None or recording is None:
        if any(policies):
            raise UsageError("--policy and --own-policy go with --report.", "A server knows its policies.")
        if scan is None:
            raise UsageError("Of what?", "Give the id of a scan, or --report and --recording.")
        return _of_scan(_id(scan))
    if scan is not None:
        raise UsageError("Of what?", "Give the id of a scan, or --report and --recording.")
    _there((report, recording, *(path for path in policies if path is not None)))
    return _of_files(report, recording, policies)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no scan's id.", "It looks like 0f8fad5b-d9cb-469f-a165-70867728950e."
        ) from None


def _there(files: Iterable[Path]) -> None:
    """UsageError where one is none."""
    for path in files:
        try:
            with given.open_file(path, stream=True):
                pass
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


@contextlib.contextmanager
def _of_files(report: Path, recording: Path, policies: tuple[Path | None, Path | None]) -> Iterator[Source]:
    from package_hunter.bundle import of_files
    from package_hunter.cli.diff import read_report
    from package_hunter.policy.load import read_text
    from package_hunter.queue.recordings import beside

    texts = [None if path is None else read_text(path) for path in policies]
    yield of_files(read_report(report), beside(recording), *texts)


@contextlib.contextmanager
def _of_scan(scan_id: uuid.UUID) -> Iterator[Source]:
    from package_hunter.access.actor import command_line
    from package_hunter.access.view import EVERYTHING
    from package_hunter.bundle import of_scan
    from package_hunter.cli.serve import open_store
    from package_hunter.config import settings
    from package_hunter.governance import policy_file
    from package_hunter.store import history
    from package_hunter.store.history import Change
    from package_hunter.store.models import Scan

    config = settings()
    policy_file.use(config.policy_file)
    store = open_store(config)
    with of_scan(store, EVERYTHING, scan_id, config) as found:
        if found is None:
            raise UsageError(f"There is no scan {scan_id}.", "Its id is in the answer to its upload.")
        yield found
    with store.write() as session:  # it holds the recordings
        scan = session.get(Scan, scan_id)
        if scan is not None:
            change = Change("scan.fetch-bundle", str(scan_id), project=scan.project_id)
            history.record(session, command_line(), change)


def verify(
    file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A file that `bundle` made.")],
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public key (PEM) of who may have signed it; or more.")
    ] = None,
    fingerprint: Annotated[
        list[str] | None, typer.Option("--fingerprint", help="Or its fingerprint, as `audit key` shows it.")
    ] = None,
    any_key: Annotated[
        bool, typer.Option("--any-key", help="Whoever signed it: says nothing of who that was.")
    ] = False,
    format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Check a bundle's signature and digests, and judge its recording again, offline.

    Exit codes: 0 the same verdict again, 1 something differs, 2 usage, 3 no bundle, a damaged one, not what was signed,
    or another key, 4 the same as far as it could be judged again, 70 our own failure.
    """
    if format not in ("text", "json"):
        raise UsageError(f"There is no form {format!r}.", "Forms: text, json.")
    names = _names(fingerprint or [])
    _there((file, *(key or [])))
    trust = _trust(key or [], names, any_key)
    from package_hunter.bundle import verify as check
    from package_hunter.cli.verified import as_json, as_text, harmless_lines

    found = check(file, trust)
    if format == "json":
        typer.echo(json.dumps(as_json(found), indent=2))
    else:
        typer.echo(harmless_lines(as_text(found, any_key)))
    raise typer.Exit(found.exit_code)


def _names(said: list[str]) -> frozenset[str]:
    wanted = frozenset(name.lower().replace(":", "").removeprefix("sha256") for name in said)
    for name in wanted:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no fingerprint.", "It has 32 hex digits: package-hunter audit key."
            )
    return wanted


def _trust(files: list[Path], names: frozenset[str], anybody: bool) -> Trust:
    from package_hunter.audit import keys
    from package_hunter.bundle import Trust
    from package_hunter.config import settings

    try:
        known = keys.files_keys(files) if files or names else keys.public_keys(settings())
    except HunterError as error:
        raise UsageError(error.message, error.advice) from error
    return Trust(tuple(known.values()), names, anybody)
