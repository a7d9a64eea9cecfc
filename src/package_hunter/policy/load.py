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
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from package_hunter.errors import UsageError
from package_hunter.model import toml
from package_hunter.model.scales import SEVERITIES
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.model import Match, Policy, Rule, Waiver

E = TypeVar("E", Verdict, Decision)
MAX_BYTES = 1 << 20
_MAX_TEXT = 1_000  # of a pattern, a reason, an author
_MATCH = {f.name for f in fields(Match)}


def load_policy(path: Path, *, inside: bool = False) -> Policy:
    """The policy of a file; UsageError says what is wrong and where. ``inside``: it came with the project."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(
                f"The policy file {path} is larger than {MAX_BYTES} bytes.", "Split or shorten it."
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The policy file {path} cannot be read: {error}.", "Check the path.") from error
    return parse_policy(text, str(path), inside=inside)


def parse_policy(text: str, name: str = "package-hunter.toml", *, inside: bool = False) -> Policy:
    """The policy of a text in TOML."""
    try:
        data = toml.loads(text)
    except toml.TomlError as error:
        raise UsageError(f"{name} is not TOML: {error}.", "Correct that line.") from error
    _known(data, {"verdicts", "rule", "waiver"} | (set() if inside else {"project"}), name)
    # a file from inside the project decides nothing by itself: it can only ask for more than the user's
    verdicts = dict.fromkeys(Verdict, Decision.PASS) if inside else dict(Policy().by_verdict)
    for key, value in _table(data, "verdicts", name).items():
        verdicts[_choice(Verdict, key, f"{name}, [verdicts]")] = _choice(
            Decision, value, f"{name}, [verdicts] {key}"
        )
    if verdicts[Verdict.INCONCLUSIVE] is Decision.PASS and not inside:
        raise UsageError(f"{name}, [verdicts]: an inconclusive scan cannot pass.", "Use review, or block.")
    return Policy(
        by_verdict=tuple(verdicts.items()),
        rules=tuple(_rule(r, f"{name}, rule {i}") for i, r in enumerate(_list(data, "rule", name), 1)),
        waivers=tuple(
            _waiver(w, f"{name}, waiver {i}", inside) for i, w in enumerate(_list(data, "waiver", name), 1)
        ),
        **({} if inside else _project(_table(data, "project", name), f"{name}, [project]")),
    )


def _project(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What the scanned project's own file may do."""
    _known(data, {"own_file", "own_file_from"}, where)
    allowed, accounts = data.get("own_file", False), data.get("own_file_from", ["*"])
    if not isinstance(allowed, bool):
        raise UsageError(f"{where}: own_file is neither true nor false.", "Correct it.")
    if not isinstance(accounts, list) or not all(isinstance(a, str) for a in accounts):
        raise UsageError(f"{where}: own_file_from is no list of accounts.", 'Write ["token:NAME", "NAME"].')
    return {"own_file": allowed, "own_file_from": tuple(accounts)}


def _rule(data: Mapping[str, Any], where: str) -> Rule:
    _known(data, _MATCH | {"decision"}, where)
    return Rule(_match(data, where), _choice(Decision, data.get("decision"), where))


def _waiver(data: Mapping[str, Any], where: str, inside: bool) -> Waiver:
    _known(data, _MATCH | {"reason", "author", "expires"}, where)
    for key in ("reason", "author"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise UsageError(f"{where}: there is no {key}.", f'Add {key} = "...".')
        if len(data[key]) > _MAX_TEXT:
            raise UsageError(f"{where}: {key} is longer than {_MAX_TEXT} characters.", "Shorten it.")
    expires = data.get("expires")
    if isinstance(expires, dt.datetime):
        expires = expires.date()
    if not isinstance(expires, dt.date):
        raise UsageError(
            f"{where}: there is no date of expiry.", "Add expires = 2027-03-31 (without quotes)."
        )
    match = _match(data, where)
    if match == Match():
        raise UsageError(
            f"{where}: it would waive everything.", "Say which findings: fingerprint, kind, package ..."
        )
    return Waiver(match, data["reason"], data["author"], expires, where, inside)


def _match(data: Mapping[str, Any], where: str) -> Match:
    values = {k: v for k, v in data.items() if k in _MATCH}
    for key, value in values.items():
        if not isinstance(value, bool if key == "direct" else str):
            raise UsageError(
                f"{where}: {key} has a value of the wrong type.", "Use text, or true/false for direct."
            )
        if isinstance(value, str) and len(value) > _MAX_TEXT:
            raise UsageError(f"{where}: {key} is longer than {_MAX_TEXT} characters.", "Shorten it.")
    if values.get("severity", "info") not in SEVERITIES:
        raise UsageError(f"{where}: severity is not one of {', '.join(SEVERITIES)}.", "Correct it.")
    return Match(**values)


def _known(data: Mapping[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(data) - allowed)
    if unknown:
        raise UsageError(
            f"{where}: unknown key {unknown[0][:100]!r}.", f"Known are: {', '.join(sorted(allowed))}."
        )


def _table(data: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: {key} must be a table.", f"Write [{key}].")
    return value


def _list(data: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        raise UsageError(f"{where}: {key} must be a list of tables.", f"Write [[{key}]].")
    return value


def _choice(kind: type[E], value: object, where: str) -> E:
    try:
        return kind(str(value))
    except ValueError:
        allowed = ", ".join(str(member) for member in kind)
        raise UsageError(f"{where}: {str(value)[:100]!r} is not one of {allowed}.", "Correct it.") from None
