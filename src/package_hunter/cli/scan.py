"""`package-hunter scan`: one target through the whole journey, a report out, an exit code."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from package_hunter.cli.console import Progress
from package_hunter.errors import UsageError


class FailOn(enum.StrEnum):
    """From which decision on the exit code is 1."""

    REVIEW = "review"
    BLOCK = "block"
    NEVER = "never"


def exit_code(decision: str, verdict: str, fail_on: FailOn) -> int:
    """The contract's exit code: 1 at or above ``fail_on`` (proof outranks), 4 inconclusive, else 0."""
    rank = {"pass": 0, "review": 1, "block": 2}
    threshold = {"review": 1, "block": 2, "never": 3}[fail_on.value]
    if verdict == "inconclusive":
        return 4
    return 1 if rank[decision] >= threshold else 0


def scan(
    target: Annotated[
        str,
        typer.Argument(
            help="A directory, an archive (.tgz, .zip), or a purl such as pkg:npm/left-pad@1.3.0."
        ),
    ],
    ecosystem: Annotated[
        str | None, typer.Option(help="npm, yarn, ...; recognised from the manifest when left out.")
    ] = None,
    format: Annotated[str, typer.Option("--format", help="Form of the report: text, json, ...")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file instead of stdout.")
    ] = None,
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this decision on.")] = FailOn.BLOCK,
    record: Annotated[
        Path | None, typer.Option(help="Record every event into this .scap file (Falco and sysdig read it).")
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="Add a Falco rule file; may be given again.")
    ] = None,
    builtin_rules: Annotated[
        bool, typer.Option("--builtin-rules/--no-builtin-rules", help="Use the built-in rules.")
    ] = True,
    phases: Annotated[
        str, typer.Option(help="Phases to run after fetch, with commas between.")
    ] = "install,import",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Install and load a target's dependencies in a sealed box, and report what they did.

    Exit codes: 0 decision below --fail-on, 1 at or above it, 2 usage or rule file, 3 nothing to scan,
    4 inconclusive, 69 server or registry unreachable, 70 our own failure, 130 interrupted.
    """
    from package_hunter import pipeline, report

    if format not in report.FORMATS:
        raise UsageError(
            f"There is no report format {format!r}.", f"Choose one of: {', '.join(report.FORMATS)}."
        )
    options = pipeline.ScanOptions(
        ecosystem=ecosystem,
        phases=tuple(p.strip() for p in phases.split(",") if p.strip()),
        rule_files=tuple(rules or ()),
        builtin_rules=builtin_rules,
        record=record,
    )
    result = pipeline.scan_target(target, options, progress=Progress(quiet))
    text = report.FORMATS[format](result)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        output.write_text(text, encoding="utf-8")
    raise typer.Exit(exit_code(result.decision, result.verdict, fail_on))
