"""`package-hunter diff OLD NEW`: what this version does and the last did not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from package_hunter import given
from package_hunter.errors import UsageError
from package_hunter.findings.compare import Difference, compare
from package_hunter.model import wire
from package_hunter.model.finding import Finding
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.report_form import finding_json, from_json
from package_hunter.model.scan import FailOn, Verdict
from package_hunter.policy import exit_code
from package_hunter.policy.rejudge import rejudge
from package_hunter.report.harmless import harmless
from package_hunter.report.words import package_name, who

MAX_BYTES = 512 << 20


def read_report(path: Path) -> Report:
    """A JSON report from a file; UsageError says what is wrong with it."""
    try:
        data = given.read(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES} bytes.", "Give a JSON report of a scan.")
        return from_json(json.loads(data))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        advice = "Make it with `package-hunter scan --format json -o FILE`."
        raise UsageError(f"{path} holds no report: {error}.", advice) from error


def as_json(difference: Difference, verdict: str, decision: str) -> dict[str, Any]:
    """The difference as JSON values."""
    data = wire.plain(Difference, difference)
    for key in ("new_findings", "gone_findings"):
        data[key] = [finding_json(f) for f in getattr(difference, key)]
    data["changed_packages"] = [
        {"package": name, "old": old, "new": new} for name, old, new in difference.changed_packages
    ]
    return {"verdict": verdict, "decision": decision, **{k: clean(v) for k, v in data.items()}}


def _findings(title: str, findings: tuple[Finding, ...]) -> list[Text]:
    lines = [Text(title, "bold")] if findings else []
    lines += [Text(f"  {f.severity.upper():8} {harmless(f.title)}  ({who(f.blame)})") for f in findings]
    return lines


def _list(title: str, items: tuple[str, ...], limit: int = 20) -> list[Text]:
    lines = [Text(title, "bold")] if items else []
    lines += [Text(f"  {harmless(item)}") for item in items[:limit]]
    if len(items) > limit:
        lines.append(Text(f"  and {len(items) - limit} more"))
    return lines


def as_text(difference: Difference) -> list[Text]:
    """The difference in lines, what is new first."""
    d = difference
    versions = tuple(
        f"{package_name(name)}: {old or 'not there'} -> {new or 'gone'}"
        for name, old, new in d.changed_packages
    )
    lines = [
        *_findings("New findings", d.new_findings),
        *_list("New hosts contacted", d.new_hosts),
        *_list("New programs run", d.new_programs),
        *_list("New files written or deleted", d.new_files),
        *_list("Packages that changed", versions),
        *_findings("Findings that are gone", d.gone_findings),
        *_list("Hosts no longer contacted", d.gone_hosts),
        *_list("Programs no longer run", d.gone_programs),
        *_list("Files no longer written", d.gone_files),
    ]
    if d.is_empty:
        lines.insert(0, Text("No new behaviour was seen. That is no proof that there is none.", "bold"))
    return lines


def of_what_is_new(difference: Difference, new: Report) -> Report:
    """The new report as if only what is new had been found; an inconclusive scan stays inconclusive."""
    coverage = new.coverage
    if new.verdict is Verdict.INCONCLUSIVE and not coverage.reasons:
        coverage = replace(coverage, reasons=("The new report is inconclusive.",))
    return rejudge(replace(new, findings=difference.new_findings, coverage=coverage))


def diff(
    old: Annotated[Path, typer.Argument(help="The JSON report of the version before.")],
    new: Annotated[Path, typer.Argument(help="The JSON report of this version.")],
    format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this decision on.")] = FailOn.BLOCK,
) -> None:
    """Show behaviour that the new report has and the old one has not.

    Exit codes: 0 decision on what is new is below --fail-on, 1 at or above it, 2 usage, 4 inconclusive.
    """
    before, after = read_report(old), read_report(new)
    difference = compare(before, after)
    judged = of_what_is_new(difference, after)
    verdict, decision = judged.verdict, judged.decision
    if format == "json":
        typer.echo(json.dumps(as_json(difference, verdict, decision), indent=2))
    else:
        console = Console(highlight=False, emoji=False, markup=False)
        for line in as_text(difference):
            console.print(line)
    raise typer.Exit(exit_code(verdict, decision, fail_on))
