"""`package-hunter gate`: may a commit go on, commits to be fetched, where repositories are, setting forges up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered
from package_hunter.cli.console import Progress, harmless
from package_hunter.cli.places import say, shown_time, table
from package_hunter.cli.serve import open_store
from package_hunter.client import credentials
from package_hunter.client.gate import Wish, job_credentials
from package_hunter.client.gate import ask as ask_remotely
from package_hunter.client.remote import Remote
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance.gate import (
    fetches,
    forges,
    origins,
    record,
    repositories,
    setup,
    watches,
)
from package_hunter.governance.gate.setup_github import github
from package_hunter.governance.gate.setup_gitlab import gitlab
from package_hunter.inventory.intake import check_commit
from package_hunter.model.depth import DepthName
from package_hunter.store import places

app = typer.Typer(help="May a commit go on? Why not, and who can change that.", no_args_is_help=True)

_Project = Annotated[str, typer.Option("--project", help="The project's path.")]
_Commit = Annotated[str, typer.Option("--commit", help="The commit's whole name.")]
_Json = Annotated[bool, typer.Option("--json", help="As --format json.")]
_EXIT = {"pass": 0, "block": 1, "review": 1, "missing": 4}


@app.command("ask")
def ask(  # noqa: PLR0913 (each is an option)
    project: _Project,
    commit: _Commit,
    server: Annotated[
        str | None,
        typer.Option(envvar="PACKAGE_HUNTER_SERVER", help="Ask this server; unset: the store here."),
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the server's token.")] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="With --server: where no scan counts, have it fetch the commit.")
    ] = False,
    ref: Annotated[str | None, typer.Option(help="With --fetch: its ref.")] = None,
    merge_request: Annotated[
        str | None, typer.Option(help="With --fetch: number of its merge request.")
    ] = None,
    wait: Annotated[float, typer.Option(help="With --server: seconds to wait for a scan.", min=0)] = 0,
    as_json: _Json = False,
    form: AsForm = Form.TEXT,
) -> None:
    """Ask it; exit code 0 pass, 1 block or review, 4 missing."""
    as_json = as_json or form is Form.JSON
    if server is not None:
        tree = {k: v for k, v in {"ref": ref, "merge_request": merge_request}.items() if v}
        word = _ask_server(server, token_file, Wish(project, check_commit(commit), fetch, tree, wait))
        typer.echo(json.dumps(word) if as_json else _shown(json.dumps(word)))
        raise typer.Exit(_EXIT.get(str(word.get("result")), 70))
    depth = settings().depth or DepthName.STANDARD.value
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project)
        answer = record.ask(session, place, check_commit(commit), command_line().name, depth)
        body, result = answer.body, answer.result
    typer.echo(body if as_json else _shown(body))
    raise typer.Exit(_EXIT[result])


def _ask_server(server: str, token_file: Path | None, wish: Wish) -> dict[str, Any]:
    progress = Progress(False)
    auth = credentials.find(token_file) or job_credentials(server, wish.project)
    with Remote(server, auth, progress) as remote:
        return ask_remotely(remote, wish, progress)


def _shown(text: str) -> str:
    body = json.loads(text)
    lines = [f"{harmless(body['result'])}: {harmless(body['says'])}"]
    for reason in body["reasons"]:
        lines += [
            "",
            f"{harmless(reason['result'])}: {harmless(reason['what'])}",
            f"  who can lift it: {harmless(', '.join(reason['who_can_lift_it']))}",
            f"  how to ask: {harmless(reason['how_to_ask'])}",
        ]
    for scan in body["scans"]:
        word = "counts" if scan["counts"] else "does not count"
        lines.append(
            f"scan {harmless(scan['id'])} ({harmless(scan['status'])}) {word}: {harmless(scan['says'])}"
        )
    return "\n".join(lines)


@app.command("answers")
def answers(
    project: _Project,
    commit: Annotated[str | None, typer.Option("--commit", help="Of this commit alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List what it answered, newest first."""
    if answered(
        "/gate/answers", {"project": project, "commit": commit, "limit": limit}, (form, server, token_file)
    ):
        return
    with open_store(settings()).read() as session:
        place = places.project_at(session, EVERYTHING, project).id
        whole = None if commit is None else check_commit(commit)
        found = record.answers(session, EVERYTHING, place, whole, limit)
        rows = [(shown_time(a.created), a.commit[:12], a.result, a.asked_by, a.digest[:16]) for a in found]
    table(("SINCE", "COMMIT", "RESULT", "ASKED BY", "DIGEST"), rows)


@app.command("fetch")
def fetch(
    project: _Project,
    commit: _Commit,
    ref: Annotated[str | None, typer.Option(help="Its ref.")] = None,
    merge_request: Annotated[str | None, typer.Option(help="The number of its merge request.")] = None,
    base: Annotated[str | None, typer.Option(help="The commit that it is to be merged into.")] = None,
) -> None:
    """Have the server fetch a commit itself and scan it: such a scan counts."""
    origin = origins.check(commit, ref, merge_request, base)
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project)
        row = fetches.ask(session, place, origin, command_line().name)
        watches.watch(session, place.id, origin.commit, ref, merge_request)
        said = f"It is {row.status}"
    say(f"{said}: a running server (package-hunter serve) fetches it.")


@app.command("repository")
def repository(
    project: _Project,
    url: Annotated[str, typer.Argument(help="What git clones: https://gitlab.example/web/shop.git.")],
    external: Annotated[str | None, typer.Option(help="The forge's name of it: web/shop.")] = None,
    status_check: Annotated[
        str | None, typer.Option(help="Number of GitLab's external status check.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="Why: for the history.")] = None,
) -> None:
    """Say where a project's repository is; its forge must be in PACKAGE_HUNTER_FORGES_FILE."""
    known = forges.load(settings())
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project)
        where = repositories.Place(url, external, status_check)
        repositories.bind(session, known, place, where, command_line(), why)
    say(f"{project!r} has its repository at {url} now.")


@app.command("repositories")
def list_repositories(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List where projects' repositories are."""
    if answered("/repositories", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [
            (path, row.url, row.external or "-", row.status_check or "-")
            for path, row in repositories.every(session)
        ]
    table(("PROJECT", "REPOSITORY", "AT THE FORGE", "STATUS CHECK"), rows)


@app.command("forget")
def forget(
    project: _Project, why: Annotated[str | None, typer.Option("--why", help="Why: for the history.")] = None
) -> None:
    """A project has no repository any more."""
    with open_store(settings()).write() as session:
        place = places.project_at(session, EVERYTHING, project)
        repositories.forget(session, place, command_line(), why)
    say(f"{project!r} has no repository any more.")


@app.command("setup")
def set_up(  # noqa: PLR0913 (each is an option)
    forge: Annotated[str, typer.Argument(help="gitlab or github.")],
    server: Annotated[str, typer.Option(help="This server's address: https://hunter.example.")],
    home: Annotated[str, typer.Option("--home", help="Security's project at the forge: security/ci.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")] = Path(
        "hunter-gate"
    ),
    ref: Annotated[str, typer.Option(help="The branch of it that holds the definition.")] = "main",
    image: Annotated[str | None, typer.Option(help="An image with package-hunter, by its digest.")] = None,
    approvers: Annotated[str, typer.Option(help="GitLab: the group that approves.")] = "security",
    app_id: Annotated[
        int, typer.Option("--app", help="GitHub: the number of the app that tells.", min=0)
    ] = 0,
) -> None:
    """Write what a forge needs for the gate: policy, pipeline, ruleset. Look at it, then commit it."""
    makers = {"gitlab": gitlab, "github": github}
    if forge not in makers:
        raise UsageError(f"There is no set-up for {forge!r}.", "Say gitlab or github.")
    wish = setup.Wish(server, home, ref, approvers=approvers, app=app_id)
    files = makers[forge]((wish if image is None else replace(wish, image=image)).check())
    taken = [name for name in files if (output / name).exists()]
    if taken:
        raise UsageError(f"{output / taken[0]} is there already.", "Give another folder with --output.")
    for name, text in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    say(f"{len(files)} files are in {output}; {output / 'README.md'} says what to do with them.")
