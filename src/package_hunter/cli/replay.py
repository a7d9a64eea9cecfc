"""`package-hunter replay`: a recording, ours or Falco's, judged again by other rules."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.cli.console import complain, harmless
from package_hunter.errors import UsageError
from package_hunter.model.observation import Alert, Observation
from package_hunter.model.scan import FailOn


class Matching(enum.StrEnum):
    """How many alerts an event may give."""

    FIRST = "first"
    ALL = "all"


class Form(enum.StrEnum):
    """Form of the output."""

    TEXT = "text"
    JSON = "json"
    FALCO = "falco"


def replay(  # noqa: PLR0913 (each is an option)
    recording: Annotated[Path, typer.Argument(help="A .scap file, plain or gzip, ours or Falco's.")],
    rules: Annotated[
        list[Path] | None, typer.Option(help="Add a Falco rule file; may be given again.")
    ] = None,
    builtin_rules: Annotated[
        bool, typer.Option("--builtin-rules/--no-builtin-rules", help="Use the built-in rules.")
    ] = True,
    rule_matching: Annotated[
        Matching, typer.Option(help="One alert an event (the first rule in file order), or all.")
    ] = Matching.ALL,
    enable_all: Annotated[
        bool, typer.Option("--enable-all", help="Also the rules that are disabled.")
    ] = False,
    format: Annotated[
        Form, typer.Option("--format", help="falco prints Falco's JSON lines in event order.")
    ] = Form.TEXT,
    container: Annotated[
        str | None,
        typer.Option(
            help='Constant container facts as a JSON object, e.g. {"container.name": "web"}; default: those '
            "of the recording, else the host's."
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="Of a recording of ours, also what a scan leaves out: what its own first process did, and a package "
            "manager while it fetches. So Falco would judge it.",
        ),
    ] = False,
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this decision on.")] = FailOn.BLOCK,
) -> None:
    """Judge a recording by rules, the way a live scan is judged.

    Exit codes: 0 decision below --fail-on, 1 at or above it, 2 usage or rule file, 3 no recording or a
    damaged one, 4 the recording is cut short, 70 our own failure, 130 interrupted.
    """
    from package_hunter.observe.events import compile_rules
    from package_hunter.pipeline.replay import replay as judge_recording
    from package_hunter.policy import exit_code
    from package_hunter.rules import load_rules

    ruleset = load_rules(rules or [], builtin=builtin_rules)
    if enable_all:
        ruleset.rules = [dataclasses.replace(rule, enabled=True) for rule in ruleset.rules]
    matcher = compile_rules(ruleset, rule_matching.value, _constants(container))
    if not recording.is_file():
        raise UsageError(f"There is no recording {recording}.", "Give a .scap file.")
    found = judge_recording(recording, matcher, _tell if format is Form.FALCO else None, whole=whole)
    if found.truncated:
        complain("The recording ends in the middle; all that was whole was judged.", "")
    if format is Form.JSON:
        sys.stdout.write(json.dumps(_as_json(found.observation, found.hostname), default=str) + "\n")
    elif format is Form.TEXT:
        sys.stdout.write(_as_text(found.observation))
    raise typer.Exit(exit_code(found.report.verdict, found.report.decision, fail_on))


def _constants(container: str | None) -> dict[str, Any]:
    if container is None:
        return {}
    try:
        facts = json.loads(container)
    except ValueError as error:
        raise UsageError(
            f"--container is no JSON: {error}.", 'Give an object, e.g. {"container.id": "…"}.'
        ) from None
    if not isinstance(facts, dict) or not all(str(k).startswith(("container.", "k8s.")) for k in facts):
        raise UsageError("--container takes an object of container.* and k8s.* fields.")
    return facts


def _tell(alert: Alert, hostname: str) -> None:
    from package_hunter.model.report_form import falco_json

    sys.stdout.write(json.dumps(falco_json(alert, hostname)) + "\n")


def _as_json(observation: Observation, hostname: str) -> dict[str, Any]:
    from package_hunter.model import wire
    from package_hunter.model.report_form import alert_json

    data = wire.plain(Observation, dataclasses.replace(observation, alerts=()))
    return {**data, "alerts": [alert_json(alert, hostname) for alert in observation.alerts]}


def _as_text(observation: Observation) -> str:
    lines = [harmless(alert.output.strip().replace("\n", "\\n")) for alert in observation.alerts]
    rules = len({alert.rule for alert in observation.alerts})
    lines.append(
        f"{observation.events} events, {len(observation.alerts)} alerts of {rules} rules, "
        f"{len(observation.processes)} processes, {len(observation.files)} file changes, "
        f"{len(observation.sockets)} connections."
    )
    lines += [harmless(f"{count} more {what} than are kept.") for what, count in observation.cut.items()]
    lines += [harmless(note) for note in observation.notes]
    return "\n".join(lines) + "\n"
