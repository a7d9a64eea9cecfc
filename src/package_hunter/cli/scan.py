"""`package-hunter scan`: one target through the whole journey, a report out, an exit code."""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from package_hunter.cli.console import Progress
from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.model.scan import FailOn

DEFAULT_PHASES = "install,import"
Scanner = Callable[[str], Report]


class Engine(enum.StrEnum):
    """What watches a scan."""

    PROBE = "probe"
    FALCO = "falco"


def scan(  # noqa: PLR0913 (each is an option)
    target: Annotated[
        str,
        typer.Argument(
            help="A directory, an archive (.tgz, .zip), or a purl such as pkg:npm/left-pad@1.3.0."
        ),
    ],
    ecosystem: Annotated[
        str | None, typer.Option(help="npm, yarn, ...; recognised from the manifest when left out.")
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="FORM", help="Form of the report: text (default), json, html, sarif, ..."
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it to this file; one for each --format, in order."
        ),
    ] = None,
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this decision on.")] = FailOn.BLOCK,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 whatever was found; errors keep their codes.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="In the text: what raised each finding, what would lower it.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Policy file. Default: package-hunter.toml of the scanned folder, as far as it may."
        ),
    ] = None,
    own_policy: Annotated[
        bool, typer.Option("--own-policy/--no-own-policy", help="Heed the scanned folder's policy file.")
    ] = True,
    baseline: Annotated[
        Path | None, typer.Option(help="An earlier JSON report: only what is new against it decides.")
    ] = None,
    changed_only: Annotated[
        Path | None, typer.Option(help="A lock file (or its folder): scan only packages that it has not.")
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive", help="Scan each folder below that has a manifest, too (no tests, examples, docs)."
        ),
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(envvar="PACKAGE_HUNTER_SERVER", help="Let this server scan; needs no rights here."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the server's token; else the environment (docs/client.md).")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --server: scan even what it scanned lately.")
    ] = False,
    commit: Annotated[
        str | None,
        typer.Option(help="With --server: the commit whose tree this is, for the gate (docs/gate.md)."),
    ] = None,
    ref: Annotated[str | None, typer.Option(help="With --commit: its ref.")] = None,
    merge_request: Annotated[
        str | None, typer.Option(help="With --commit: the number of its merge or pull request.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="With --commit: the commit that it is to be merged into.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record every event into this .scap file (Falco and sysdig read it).")
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="What watches: our own probe, or a running Falco (docs/falco.md).")
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="Add a Falco rule file; may be given again.")
    ] = None,
    builtin_rules: Annotated[
        bool, typer.Option("--builtin-rules/--no-builtin-rules", help="Use the built-in rules.")
    ] = True,
    depth: Annotated[
        DepthName | None,
        typer.Option(help="How far to look; standard for a package and on servers, else quick."),
    ] = None,
    phases: Annotated[
        str, typer.Option(help="Phases to run after fetch, with commas between.")
    ] = DEFAULT_PHASES,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="Also call what direct dependencies export, for a moment.")
    ] = False,
    worlds: Annotated[
        str | None,
        typer.Option(
            help="Conditions to try, a box each: default, laptop, ci, later, locale, production, ... or all; "
            "else those of the depth."
        ),
    ] = None,
    settle: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=600,
            metavar="SECONDS",
            help="Watch what is left running for so long. Default: PACKAGE_HUNTER_SETTLE_SECONDS, 30.",
        ),
    ] = None,
    hurry: Annotated[
        bool | None,
        typer.Option(
            "--hurry/--no-hurry",
            help="Let time pass faster for what waits longer than that. Default: from --depth standard on.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Install and load a target's dependencies in a sealed box, and report what they did.

    Exit codes: 0 decision below --fail-on, 1 at or above it, 2 usage or rule file, 3 nothing to scan,
    4 inconclusive, 69 server or registry unreachable, 70 our own failure, 130 interrupted.
    """
    from package_hunter import policy as policies
    from package_hunter.cli import judging, outputs

    where = outputs.outputs(format or (), output or ())
    judge = judging.Judging.of(target, policy, baseline, own_policy, server is not None)
    if recursive and changed_only is not None:
        raise UsageError("--recursive does not go with --changed-only.", "Give the folder of one lock file.")
    progress = Progress(quiet)
    tree = {"commit": commit, "ref": ref, "merge_request": merge_request, "base": base}
    said = {name: value for name, value in tree.items() if value}
    _check_tree(said, server, changed_only)
    if server is not None:
        _refuse_here_only(
            {
                "--record": record is not None,
                "--engine": engine is not None,
                "--rules": bool(rules),
                "--no-builtin-rules": not builtin_rules,
                "--phases": phases != DEFAULT_PHASES,
                "--exercise": exercise,
                "--recursive": recursive,
                "--worlds": worlds is not None,
                "--settle": settle is not None,
                "--hurry": hurry is not None,
            }
        )
        scanner = _remote(server, token_file, RemoteAsked(ecosystem, fresh, depth, said), progress)
    else:
        from package_hunter import pipeline

        options = pipeline.ScanOptions(
            ecosystem=ecosystem,
            phases=_phases(phases, exercise),
            depth=depth,
            worlds=() if worlds is None else _worlds(worlds),
            rule_files=tuple(rules or ()),
            builtin_rules=builtin_rules,
            record=record,
            engine=engine.value if engine is not None else "",
            recursive=recursive,
            own_project=changed_only is None,
            settle=settle,
            hurry=hurry,
        )

        def scanner(what: str) -> Report:
            report: Report = pipeline.scan_target(what, options, progress=progress)
            return report

    report = judge(_scan(target, changed_only, scanner))
    folder = Path(target) if not target.startswith("pkg:") and Path(target).is_dir() else None
    outputs.write(report, where, folder, explain)
    code = policies.exit_code(report.verdict, report.decision, fail_on)
    raise typer.Exit(0 if exit_zero else code)


@dataclass(frozen=True, slots=True)
class RemoteAsked:
    """What a server is told of a scan."""

    ecosystem: str | None
    fresh: bool
    depth: DepthName | None
    tree: Mapping[str, str]


def _check_tree(said: Mapping[str, str], server: str | None, changed_only: Path | None) -> None:
    """What is said of a commit goes to a server, and is of a whole tree; UsageError."""
    if not said:
        return
    if server is None:
        raise UsageError("--commit goes with --server: its gate asks for it.", "Leave it out here.")
    if "commit" not in said:
        raise UsageError("Of which commit?", "Give --commit, too.")
    if changed_only is not None:
        raise UsageError("--commit does not go with --changed-only.", "A commit's scan is of its whole tree.")


def _scan(target: str, changed_only: Path | None, scanner: Scanner) -> Report:
    """The whole target, or what changed of it."""
    if changed_only is None:
        return scanner(target)
    from package_hunter.cli.changed import change

    with contextlib.ExitStack() as stack:
        what = stack.enter_context(change(target, changed_only))
        report = what.nothing(time.time_ns()) if what.folder is None else scanner(str(what.folder))
        return what.finish(report)


def _remote(
    server: str,
    token_file: Path | None,
    asked: RemoteAsked,
    progress: Progress,
) -> Scanner:
    """Let a server scan, with the credentials that files or the environment hold."""
    from package_hunter.client import credentials
    from package_hunter.client.gate import job_credentials
    from package_hunter.client.scan import RemoteOptions, scan_remotely
    from package_hunter.config import settings

    auth = credentials.find(token_file) or job_credentials(server)
    options = RemoteOptions(asked.ecosystem, asked.fresh, asked.depth, asked.tree)
    return lambda what: scan_remotely(what, server, auth, settings(), progress, options)


def _phases(text: str, exercise: bool) -> tuple[str, ...]:
    from package_hunter.ecosystems.base import ALL_PHASES, OPTIONAL_PHASES

    names = [name.strip() for name in text.split(",") if name.strip()]
    names += ["exercise"] if exercise else []
    unknown = [name for name in names if name not in (*ALL_PHASES, *OPTIONAL_PHASES)]
    if unknown:
        known = ", ".join((*ALL_PHASES, *OPTIONAL_PHASES))
        raise UsageError(f"There is no phase “{unknown[0]}”.", f"Known are {known}.")
    return tuple(dict.fromkeys(names))


def _worlds(text: str) -> tuple[str, ...]:
    from package_hunter.ecosystems.worlds import chosen

    return tuple(world.name for world in chosen(text))


def _refuse_here_only(given: Mapping[str, bool]) -> None:
    """Options that the server decides, and whether each was given."""
    for name, is_given in given.items():
        if is_given:
            raise UsageError(
                f"{name} does not go with --server.", "The server has rules and phases of its own."
            )
