"""Reads a policy file (``package-hunter.toml``): waivers, rules, decisions by verdict.

[verdicts]
suspicious = "block"

[project]
own_file = true
own_file_from = ["token:ci-protected"]

[[rule]]
decision = "pass"
kind = "git_hook"
package = "pkg:npm/husky"

[[waiver]]
fingerprint = "0123456789abcdef0123456789abcdef"
reason = "its telemetry was looked at, ticket 12"
author = "ada@corp.example"
expires = 2027-03-31

[[require]]
scan = "merge_request"
projects = ["web/*"]

[[pipeline]]
issuer = "https://gitlab.example"
definition = "gitlab.example/security/ci//hunter.yml@refs/heads/main"

[[schedule]]
name = "what we ship"
cron = "0 3 * * 1"
targets = ["pkg:npm/left-pad"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from package_hunter import given
from package_hunter.errors import UsageError
from package_hunter.model import toml
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.duties import pipeline, requirement, schedule
from package_hunter.policy.model import CONFIDENCES, Match, Mode, Policy, Rule, Waiver
from package_hunter.policy.reading import MAX_DAYS, MAX_TEXT, choice, day, known, table, tables, text, texts

MAX_BYTES = 1 << 20
_MATCH = {f.name for f in fields(Match)}
_ONE_OF = {
    "severity": SEVERITIES,
    "confidence": CONFIDENCES,
    "verdict": tuple(v.value for v in Verdict if v is not Verdict.INCONCLUSIVE),
}


def load_policy(path: Path, *, inside: bool = False) -> Policy:
    """The policy of a file; UsageError says what is wrong and where. ``inside``: it came with the project."""
    return parse_policy(read_text(path), str(path), inside=inside)


def read_text(path: Path) -> str:
    """A policy file's text; UsageError."""
    try:
        data = given.read(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(
                f"The policy file {path} is larger than {MAX_BYTES} bytes.", "Split or shorten it."
            )
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The policy file {path} cannot be read: {error}.", "Check the path.") from error


def parse_policy(said: str, name: str = "package-hunter.toml", *, inside: bool = False) -> Policy:
    """The policy of a text in TOML."""
    return read_policy(read_toml(said, name), name, inside=inside)


def read_toml(said: str, name: str) -> dict[str, Any]:
    """What the text says; UsageError."""
    try:
        return toml.loads(said)
    except toml.TomlError as error:
        raise UsageError(f"{name} is not TOML: {error}.", "Correct that line.") from error


def read_policy(data: Mapping[str, Any], name: str, *, inside: bool = False, narrow: bool = False) -> Policy:
    """The policy of the tables of a file. ``narrow``: of a group or project, beside what holds for all: by itself it
    decides nothing, it can only ask for more. A file from ``inside`` the scanned project is narrow, too."""
    narrow = narrow or inside
    allowed = {"verdicts", "rule", "waiver"}
    known(
        data,
        allowed
        | (set() if inside else {"require", "schedule", "pipeline"} | (set() if narrow else {"project"})),
        name,
    )
    return Policy(
        by_verdict=tuple(_verdicts(data, name, narrow).items()),
        rules=tuple(_rule(r, f"{name}, rule {i}") for i, r in enumerate(tables(data, "rule", name), 1)),
        waivers=tuple(
            _waiver(w, f"{name}, waiver {i}", inside) for i, w in enumerate(tables(data, "waiver", name), 1)
        ),
        requirements=tuple(
            requirement(r, f"{name}, require {i}") for i, r in enumerate(tables(data, "require", name), 1)
        ),
        schedules=tuple(
            schedule(s, f"{name}, schedule {i}") for i, s in enumerate(tables(data, "schedule", name), 1)
        ),
        pipelines=tuple(
            pipeline(p, f"{name}, pipeline {i}") for i, p in enumerate(tables(data, "pipeline", name), 1)
        ),
        **({} if narrow else _project(table(data, "project", name), f"{name}, [project]")),
    )


def _verdicts(data: Mapping[str, Any], name: str, narrow: bool) -> dict[Verdict, Decision]:
    verdicts = dict.fromkeys(Verdict, Decision.PASS) if narrow else dict(Policy().by_verdict)
    for key, value in table(data, "verdicts", name).items():
        where = f"{name}, [verdicts]"
        verdicts[choice(Verdict, key, where)] = choice(Decision, value, f"{where} {key}")
    if verdicts[Verdict.INCONCLUSIVE] is Decision.PASS and not narrow:
        raise UsageError(f"{name}, [verdicts]: an inconclusive scan cannot pass.", "Use review, or block.")
    return verdicts


def _project(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What the scanned project's own file may do."""
    known(data, {"own_file", "own_file_from"}, where)
    allowed, accounts = data.get("own_file", False), data.get("own_file_from", ["*"])
    if not isinstance(allowed, bool):
        raise UsageError(f"{where}: own_file is neither true nor false.", "Correct it.")
    if accounts == []:
        return {"own_file": allowed, "own_file_from": ()}
    return {"own_file": allowed, "own_file_from": texts(accounts, f"{where}: own_file_from")}


def _rule(data: Mapping[str, Any], where: str) -> Rule:
    known(data, _MATCH | {"decision", "name", "mode", "warn_from", "enforce_from"}, where)
    advice = "Write a date: 2027-03-31."
    dates = {
        key: day(data[key], f"{where}: {key} is no date.", advice)
        for key in ("warn_from", "enforce_from")
        if key in data
    }
    return Rule(
        _match(data, where),
        choice(Decision, data.get("decision"), where),
        text(data["name"], f"{where}: name", 200) if "name" in data else "",
        choice(Mode, data.get("mode", Mode.ENFORCE.value), f"{where}: mode"),
        **dates,
    )


def _waiver(data: Mapping[str, Any], where: str, inside: bool) -> Waiver:
    known(data, _MATCH | {"reason", "author", "expires"}, where)
    for key in ("reason", "author"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise UsageError(f"{where}: there is no {key}.", f'Add {key} = "...".')
        if len(data[key]) > MAX_TEXT:
            raise UsageError(f"{where}: {key} is longer than {MAX_TEXT} characters.", "Shorten it.")
    advice = "Add expires = 2027-03-31 (without quotes)."
    expires = day(data.get("expires"), f"{where}: there is no date of expiry.", advice)
    match = _match(data, where)
    if match == Match():
        raise UsageError(
            f"{where}: it would waive everything.", "Say which findings: fingerprint, kind, package ..."
        )
    return Waiver(match, data["reason"], data["author"], expires, where, inside)


def _match(data: Mapping[str, Any], where: str) -> Match:
    values = {k: v for k, v in data.items() if k in _MATCH}
    for key, value in values.items():
        _check_value(key, value, where)
    for key, allowed in _ONE_OF.items():
        if values.get(key, allowed[0]) not in allowed:
            raise UsageError(f"{where}: {key} is not one of {', '.join(allowed)}.", "Correct it.")
    return Match(**values)


def _check_value(key: str, value: object, where: str) -> None:
    if key in ("older_than", "newer_than"):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_DAYS:
            raise UsageError(f"{where}: {key} is no number of days.", f"Write 0 to {MAX_DAYS}.")
        return
    if not isinstance(value, bool if key == "direct" else str):
        raise UsageError(
            f"{where}: {key} has a value of the wrong type.", "Use text, or true/false for direct."
        )
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise UsageError(f"{where}: {key} is longer than {MAX_TEXT} characters.", "Shorten it.")
