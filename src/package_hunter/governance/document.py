"""A policy as a document: the file form of today (docs/verdicts.md) as JSON, so that it has one text and one digest."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from package_hunter.errors import UsageError
from package_hunter.package_url import UnscannableError, scannable
from package_hunter.policy.load import MAX_BYTES, read_policy, read_toml
from package_hunter.policy.model import Policy
from package_hunter.store.canonical import canonical as one_text
from package_hunter.store.canonical import content_hash

Document = dict[str, Any]
_DATES = {"rule": ("warn_from", "enforce_from"), "waiver": ("expires",)}


def from_toml(text: str, name: str, *, narrow: bool = False) -> Document:
    """The document of a policy file's text; UsageError says what is wrong and where."""
    data = read_toml(text, name)
    read_policy(data, name, narrow=narrow)
    made: Document = _plain(data)
    return made


def policy_of(document: Mapping[str, Any], name: str, *, narrow: bool = False) -> Policy:
    """What a document says; UsageError. ``narrow``: of a group or project (`policy.load.read_policy`)."""
    if len(json.dumps(document, default=str)) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES} bytes.", "Split or shorten it.")
    return read_policy(_dated(document), name, narrow=narrow)


def require_scannable(policy: Policy) -> None:
    """UsageError where a schedule names what cannot be scanned."""
    for one in policy.schedules:
        for target in one.targets:
            try:
                scannable(target)
            except UnscannableError as error:
                raise UsageError(f"The schedule {one.name!r}: {error.message}", error.advice) from error


def canonical(document: Mapping[str, Any]) -> str:
    """Its one text (`store.canonical`), dates as text; UsageError where it holds what JSON has not."""
    return one_text(_plain(document))


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of its canonical text, 64 hex digits: what an approval is bound to."""
    return content_hash(canonical(document))


def _plain(value: Any) -> Any:
    """With dates as text, as JSON has none."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _dated(document: Mapping[str, Any]) -> Document:
    """With dates as TOML has them, where they belong."""
    made = dict(document)
    for table, keys in _DATES.items():
        rows = made.get(table)
        if isinstance(rows, list):
            made[table] = [_row(row, keys) for row in rows]
    return made


def _row(row: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(row, Mapping):
        return row  # the reader says what is wrong with it
    return {key: _date(value) if key in keys else value for key, value in row.items()}


def _date(value: Any) -> Any:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
