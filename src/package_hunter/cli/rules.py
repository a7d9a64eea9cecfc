"""`package-hunter rules`: look at rules, check them, try them."""

from __future__ import annotations

import difflib
import io
import json
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter import given
from package_hunter.cli.console import harmless, print_table
from package_hunter.errors import NothingToScanError, RuleFileError, UsageError
from package_hunter.rules import Problem, RuleSet, builtin_files, check_rules, compile_matcher, load_rules
from package_hunter.rules.explain import event_type_names, explain
from package_hunter.rules.load import load_condition
from package_hunter.rules.source import DictEvent, DictSource
from package_hunter.rules.testing import run_tests

app = typer.Typer(help="Look at rules, check them, try them.", no_args_is_help=True)

RuleFiles = Annotated[list[Path] | None, typer.Option("--rules", help="A rule file to add; may be repeated.")]
NoBuiltin = Annotated[bool, typer.Option("--no-builtin-rules", help="Leave our own rules out.")]
_MAX_LINE = 4 << 20


class Form(StrEnum):
    """How `rules check` prints."""

    TEXT = "text"
    JSON = "json"


class Engine(StrEnum):
    """Whose acceptance `rules check` tells."""

    OURS = "package-hunter"
    FALCO = "falco"


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Rule files, in the order of loading.")],
    format: Annotated[Form, typer.Option("--format", help="For people or for programs.")] = Form.TEXT,
    engine: Annotated[
        Engine, typer.Option("--for", help="Refuse what Falco 0.43 refuses, too.")
    ] = Engine.OURS,
) -> None:
    """Load rule files and say what is wrong with them. Exit code 2 where they cannot be used."""
    ruleset = check_rules(files, for_falco=engine is Engine.FALCO)
    if format is Form.JSON:
        print(json.dumps(_check_json(ruleset), indent=2))
    else:
        _check_text(ruleset)
    if ruleset.errors:
        raise typer.Exit(2)


def _check_json(ruleset: RuleSet) -> dict[str, Any]:
    return {
        "ok": not ruleset.errors,
        "rules": len(ruleset.rules),
        "macros": len(ruleset.macros),
        "lists": len(ruleset.lists),
        "problems": [p.to_json() for p in ruleset.problems],
    }


def _check_text(ruleset: RuleSet) -> None:
    for problem in sorted(ruleset.problems, key=_by_place):
        print(harmless(f"{problem.place}: {problem.severity} ({problem.code}): {problem.message}"))
        if problem.text:
            print(f"    {harmless(' '.join(problem.text.split())[:160])}")
        if problem.advice:
            print(f"    {harmless(problem.advice)}")
    counts = Counter(p.severity for p in ruleset.problems)
    print(
        f"{len(ruleset.rules)} rules, {len(ruleset.macros)} macros, {len(ruleset.lists)} lists; "
        f"{counts['error']} errors, {counts['warning']} warnings"
    )


def _by_place(problem: Problem) -> tuple[str, int, int]:
    return problem.place.file, problem.place.line, problem.place.column


@app.command("list")
def list_rules(rules: RuleFiles = None, no_builtin_rules: NoBuiltin = False) -> None:
    """A table of the rules."""
    ruleset = load_rules(rules or [], builtin=not no_builtin_rules)
    rows = [
        (
            *(rule.name, rule.priority, " ".join(rule.tags), ", ".join(event_type_names(rule, 4))),
            "yes" if rule.enabled else "no",
        )
        for rule in ruleset.rules
    ]
    print_table(("Rule", "Priority", "Tags", "Event types", "Enabled"), rows)


@app.command("explain")
def explain_rule(
    name: Annotated[str, typer.Argument(help="The rule's name.")],
    rules: RuleFiles = None,
    no_builtin_rules: NoBuiltin = False,
) -> None:
    """A rule in English."""
    ruleset = load_rules(rules or [], builtin=not no_builtin_rules)
    rule = ruleset.rule(name)
    if rule is None:
        near = difflib.get_close_matches(name, [r.name for r in ruleset.rules], 1, 0.4)
        hint = f"Did you mean {near[0]!r}?" if near else "`package-hunter rules list` shows all."
        raise UsageError(f"There is no rule {name!r}.", hint)
    print("\n".join(map(harmless, explain(rule).split("\n"))))


@app.command()
def match(
    condition: Annotated[str, typer.Argument(help="A condition; macros and lists of the rules may be used.")],
    events: Annotated[Path, typer.Option("--events", help="JSON lines, objects of field name to value.")],
    rules: RuleFiles = None,
    no_builtin_rules: NoBuiltin = False,
) -> None:
    """Try a condition on events; a line `{"line": 1, "match": true}` for each."""
    ruleset = load_rules(rules or [], builtin=not no_builtin_rules)
    matcher = compile_matcher(load_condition(condition, ruleset), DictSource())
    for number, values in _read_events(events):
        matched = bool(matcher.matches(DictEvent(values, number)))
        print(json.dumps({"line": number, "match": matched}))


def _read_events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        opened = given.open_file(path, stream=True)
        with io.TextIOWrapper(opened, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), ""), 1):
                if line.strip():
                    yield number, _event(path, number, line)
    except OSError as error:
        raise NothingToScanError(f"{path} cannot be read: {error.strerror}.") from None


def _event(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise UsageError(f"{path}, line {number} is no JSON object.", "Write one object a line.")
    return values


@app.command()
def test(
    file: Annotated[Path | None, typer.Argument(help="A test file; by default our own.")] = None,
    rules: RuleFiles = None,
    no_builtin_rules: NoBuiltin = False,
) -> None:
    """Run rule tests: events in, alerts out. Exit code 1 where one fails."""
    ruleset = load_rules(rules or [], builtin=not no_builtin_rules)
    files = [file] if file else [p.with_suffix(".test.yaml") for p in builtin_files()]
    outcomes = [o for f in files for o in run_tests(f, ruleset)]
    if not outcomes:
        raise RuleFileError("There is no test in the file.", "Its form is in docs/rules.md.")
    failed = [o for o in outcomes if o.why]
    for outcome in failed:
        print(harmless(f"{outcome.place}: {outcome.name}: {outcome.why}"))
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)
