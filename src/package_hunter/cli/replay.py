"""`package-hunter replay`: a recording, ours or Falco's, judged again by other rules."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.cli.console import complain, harmless
from package_hunter.cli.scan import FailOn
from package_hunter.errors import UsageError
from package_hunter.model.observation import Alert, NetworkLog, Observation
from package_hunter.model.scan import CommandRun

_MAX_ALERTS = 200_000  # kept; a recording of Falco's prints all of them in Falco's form


class Matching(enum.StrEnum):
    """How many alerts an event may give."""

    FIRST = "first"
    ALL = "all"


class Form(enum.StrEnum):
    """Form of the output."""

    TEXT = "text"
    JSON = "json"
    FALCO = "falco"


@dataclasses.dataclass(frozen=True)
class _Own:
    """What a recording of ours says of the box: its first process (our code, which is not judged), how our own
    spawn's command line begins, where its canaries lay."""

    init_pid: int | None = None
    driver: str = ""
    canaries: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fetches_alone: bool = False
    inodes: Mapping[tuple[int, int], str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Own:
        """From the recording's facts; whatever is not as we write it counts as missing."""
        pid, driver, canaries = facts.get("init_pid"), facts.get("driver"), facts.get("canaries")
        if not isinstance(pid, int) or not isinstance(driver, str) or not isinstance(canaries, dict):
            return cls()
        canaries = {k: v for k, v in canaries.items() if isinstance(v, str)}
        inodes: dict[tuple[int, int], str] = {}
        entries = facts.get("inodes")
        for entry in entries if isinstance(entries, list) else ():
            match entry:
                case [int(device), int(number), str(canary)]:
                    inodes[device, number] = canary
        return cls(pid, driver, canaries, facts.get("fetches_alone") is True, inodes)

    def judged(self, seen: Observation, runs: Sequence[CommandRun]) -> Observation:
        """As the scan judged it: without our own doings, and with blame where the commands that ran are known."""
        from package_hunter.enrich.blame import Blamer
        from package_hunter.enrich.blame_attach import blame_observation
        from package_hunter.enrich.blame_manager import without_manager
        from package_hunter.observe import without_own

        if self.init_pid is None:
            return seen
        seen = without_own(seen, self.init_pid, self.driver)
        if runs:
            seen = blame_observation(seen, Blamer(runs, seen.processes, (), seen.files))
            seen = without_manager(seen) if self.fetches_alone else seen
        return seen


def replay(
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
    from package_hunter.enrich.names import NameTable
    from package_hunter.observe import compile_rules, observe
    from package_hunter.rules import falco_json, load_rules
    from package_hunter.sensor.scap import ScapReader

    ruleset = load_rules(rules or [], builtin=builtin_rules)
    if enable_all:
        ruleset.rules = [dataclasses.replace(rule, enabled=True) for rule in ruleset.rules]
    engine = compile_rules(ruleset, rule_matching.value, _constants(container))
    if not recording.is_file():
        raise UsageError(f"There is no recording {recording}.", "Give a .scap file.")
    with ScapReader(recording) as source:
        start = source.start
        own = _Own.of(source.ours)
        own = dataclasses.replace(own, init_pid=None) if whole else own

        def tell(alert: Alert) -> None:
            sys.stdout.write(json.dumps(falco_json(alert, start.hostname)) + "\n")

        # which alerts of a recording of ours are told is known at its end only
        at_once = format is Form.FALCO and own.init_pid is None
        observation = observe(
            source,
            start,
            engine,
            names=NameTable(),
            canaries=own.canaries,
            canary_inodes=own.inodes,
            on_alert=tell if at_once else None,
            max_alerts=_MAX_ALERTS,
        )
        observation = own.judged(observation, source.runs)
        truncated = source.truncated
    if format is Form.FALCO and not at_once:
        for alert in observation.alerts:
            tell(alert)
    if truncated:
        complain("The recording ends in the middle; all that was whole was judged.", "")
    if format is Form.JSON:
        sys.stdout.write(json.dumps(_as_json(observation, start.hostname), default=str) + "\n")
    elif format is Form.TEXT:
        sys.stdout.write(_as_text(observation))
    raise typer.Exit(_exit_code(observation, truncated, fail_on))


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


def _exit_code(observation: Observation, truncated: bool, fail_on: FailOn) -> int:
    from package_hunter.findings import judge, verdict
    from package_hunter.model.scan import Coverage
    from package_hunter.policy import decide, exit_code

    reasons = ("The recording ends in the middle.",) if truncated else ()
    coverage = Coverage(events=observation.events, reasons=reasons)
    findings = judge(observation, NetworkLog(), coverage=coverage)
    result = verdict(findings, coverage)
    return exit_code(result, decide(result, findings), fail_on.value)


def _as_json(observation: Observation, hostname: str) -> dict[str, Any]:
    from package_hunter.rules import falco_json

    data = dataclasses.asdict(dataclasses.replace(observation, alerts=()))
    blames = (alert.blame and dataclasses.asdict(alert.blame) for alert in observation.alerts)
    alerts = (falco_json(alert, hostname) for alert in observation.alerts)
    return {**data, "alerts": [{**a, "blame": blame} for a, blame in zip(alerts, blames, strict=True)]}


def _as_text(observation: Observation) -> str:
    lines = [harmless(alert.output.strip()).replace("\n", "\\n") for alert in observation.alerts]
    rules = len({alert.rule for alert in observation.alerts})
    lines.append(
        f"{observation.events} events, {len(observation.alerts)} alerts of {rules} rules, "
        f"{len(observation.processes)} processes, {len(observation.files)} file changes, "
        f"{len(observation.sockets)} connections."
    )
    lines += [harmless(f"{count} more {what} than are kept.") for what, count in observation.cut.items()]
    lines += [harmless(note) for note in observation.notes]
    return "\n".join(lines) + "\n"
