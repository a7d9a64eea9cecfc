"""`package-hunter who-has`, `inventory` and `osv`: what projects hold, and what is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from package_hunter import (
    duties,  # noqa: F401 (says what follows a result)
    given,
)
from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered
from package_hunter.cli.places import say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.inventory import files, intake, osv, packages, sbom
from package_hunter.inventory import who_has as find
from package_hunter.inventory.rejudge import Rejudge
from package_hunter.inventory.who_has import Has
from package_hunter.store import history, places
from package_hunter.store.history import Change

inventory = typer.Typer(help="What projects hold: SBOMs, files of releases.", no_args_is_help=True)
osv_app = typer.Typer(help="Public records of malicious packages.", no_args_is_help=True)

_Project = Annotated[str, typer.Option("--project", help="The project's path.")]


def who_has(  # noqa: PLR0913 (each is an option)
    purl: Annotated[
        str | None, typer.Argument(help="A package; without a version: every version.", metavar="[PURL]")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="A file, as lock files write it.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="A finding.")] = None,
    host: Annotated[str | None, typer.Option(help="A name or address that was contacted.")] = None,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say which projects have a package, a file or a finding, or contacted a host."""
    asked = [
        (find.by_purl, purl),
        (find.by_digest, digest),
        (find.by_fingerprint, fingerprint),
        (find.by_host, host),
    ]
    given = [(look, text) for look, text in asked if text is not None]
    if len(given) != 1:
        raise UsageError("Ask for one thing.", "Give a purl, --digest, --fingerprint or --host.")
    query = {"purl": purl, "digest": digest, "fingerprint": fingerprint, "host": host}
    if answered("/who-has", query, (form, server, token_file)):
        return
    look, text = given[0]
    with open_store(settings()).read() as session:
        found = look(session, EVERYTHING, text)
    if found:
        table(
            ("PROJECT", "WHAT", "SINCE", "LAST", "BY", "ACCOUNT", "COMMIT", "WANTED BY"),
            [_row(h) for h in found],
        )
    number = find.projects(found)
    say(f"{number} project{'' if number == 1 else 's'} of those that are known here.")


def _row(has: Has) -> tuple[str, ...]:
    by = "the project" if has.direct else has.wanted_by or "-"
    source = has.source if has.certain else f"{has.source}, among others"
    return (
        *(has.project, has.what, shown_time(has.since), shown_time(has.last), source, has.owner),
        *((has.commit or "-")[:12], by),
    )


@inventory.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="A CycloneDX document (JSON).", exists=True, dir_okay=False)],
    project: _Project = "legacy",
    commit: Annotated[str | None, typer.Option(help="The commit that it is of.")] = None,
) -> None:
    """Take what an SBOM lists as held by a project."""
    handed = intake.read_sbom(_data(file, sbom.MAX_BYTES), commit)
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project).id
        taken = intake.take_sbom(session, place, handed, command_line())
    rest = f", {taken.without_purl} without a purl are not in it" if taken.without_purl else ""
    say(f"{taken.components} components of {file.name} are in the inventory of {project!r} now{rest}.")


@inventory.command("file")
def read_file(
    path: Annotated[Path, typer.Argument(help="A wheel, sdist, tgz or gem.", exists=True, dir_okay=False)],
    purl: Annotated[str, typer.Argument(help="The release that it is of: pkg:pypi/numpy@2.1.0.")],
    project: _Project = "legacy",
) -> None:
    """Read a file's members, so that one which no box here can run is judged by its sibling."""
    name, digest, members = files.read(path, purl)
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project).id
        files.keep(session, place, name, digest, members)
        said = {"digest": digest, "purl": name.purl}
        history.record(
            session, command_line(), Change("inventory.file", path.name, project=place, after=said)
        )
    native = f", {len(members.native)} of them native" if members.native else ""
    say(f"{digest}: {len(members.members)} members{native}.")


@inventory.command("files")
def show_files(
    purl: Annotated[str, typer.Argument(help="A release, or a package.")],
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the files of a release that are known here, with their verdicts."""
    if answered(f"/packages/{quote(purl, safe='')}", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        found = packages.files(session, EVERYTHING, purl)
    rows = [
        (
            f.version,
            f.verdict.replace("_", " "),
            f.name or "-",
            f.digest[:26] or "-",
            " ".join(f.because) or "-",
        )
        for f in found
    ]
    table(("VERSION", "VERDICT", "FILE", "DIGEST", "WHY"), rows)
    for file in (f for f in found if f.native):
        say(f"Of {file.name or file.digest} nothing is known of: {', '.join(file.native[:20])}.")


@inventory.command("rejudge")
def judge_again(
    project: Annotated[str | None, typer.Option("--project", help="Only scans of this project.")] = None,
    limit: Annotated[int, typer.Option(help="How many scans, the newest first.", min=1)] = 1_000,
) -> None:
    """Judge kept recordings by the rules of now: what new rules see is told to who has the package."""
    store = open_store(settings())
    with store.read() as session:
        place = None if project is None else places.project_at(session, EVERYTHING, project).id
    done = Rejudge(store, settings(), command_line()).all(place, limit)
    unread = f"; {done.unread} could not be read" if done.unread else ""
    say(f"{done.judged} scans were judged again, {done.changed} have another result now{unread}.")


@osv_app.command("import")
def import_records(
    file: Annotated[
        Path,
        typer.Argument(help="A record, a list of them, or one a line (JSON).", exists=True, dir_okay=False),
    ],
) -> None:
    """Take records of malicious packages (MAL-…): each project that has one is told, once."""
    records, done = osv.read(_data(file, osv.MAX_BYTES)), osv.Imported()
    store = open_store(settings())
    for start in range(0, len(records), osv.AT_ONCE):
        with store.write() as session:
            osv.take(session, records[start : start + osv.AT_ONCE], done)
    with store.write() as session:
        said = {"taken": done.taken, "withdrawn": done.withdrawn, "told": done.told}
        history.record(session, command_line(), Change("osv.import", file.name, after=said))
    say(
        f"{done.taken} records taken, {done.withdrawn} withdrawn, {done.left_out} left out (they say nothing of "
        f"malice, or cannot be read); {done.told} times a project was told."
    )


def _data(file: Path, limit: int) -> bytes:
    try:
        data = given.read(file, limit + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Check the path.") from error
    if len(data) > limit:
        raise UsageError(f"{file} has more than {limit} bytes.", "Give it in parts.")
    return data
