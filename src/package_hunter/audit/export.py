"""The history for other systems: JSON lines, syslog (RFC 5424), OCSF (class Entity Management)."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter import __version__
from package_hunter.audit.chain import entry_values
from package_hunter.store.history_tables import HistoryRow, SealRow

_PRIORITY = 13 * 8 + 6  # log audit, informational
_ENTERPRISE = 32473  # IANA's number for examples: we have none of our own
_ENTITY_MANAGEMENT = 3004
_ACTIVITIES = {"add": 1, "remove": 4, "revoke": 4}
_UPDATE = 3


def lines(session: Session, form: str, after: int = 0) -> Iterator[str]:
    """Each entry with a number above ``after`` as a line, oldest first."""
    render = FORMS[form]
    query = (
        select(HistoryRow, SealRow)
        .outerjoin(SealRow, SealRow.entry_id == HistoryRow.id)
        .where(HistoryRow.id > after)
        .order_by(HistoryRow.id)
        .execution_options(yield_per=500)
    )
    for row, seal in session.execute(query):
        yield render(_values(row, seal))


def _values(row: HistoryRow, seal: SealRow | None) -> dict[str, Any]:
    sealed = None
    if seal is not None:
        sealed = {
            "position": seal.position,
            "digest": seal.digest,
            "signature": seal.signature,
            "key": seal.key,
            "sealed": seal.sealed,
        }
    return entry_values(row) | {"seal": sealed}


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))  # ASCII: nothing in it moves a terminal


def _syslog(values: dict[str, Any]) -> str:
    time = datetime.fromtimestamp(values["time"] / 1000, UTC).isoformat(timespec="milliseconds")
    host = "".join(c for c in socket.gethostname() if "!" <= c <= "~")[:255] or "-"
    data = " ".join(f'{name}="{_quoted(str(values[name]))}"' for name in ("id", "who", "origin", "object"))
    action = "".join(c for c in values["action"] if "!" <= c <= "~")[:32] or "-"
    head = f"<{_PRIORITY}>1 {time.replace('+00:00', 'Z')} {host} package-hunter - {action}"
    return f"{head} [history@{_ENTERPRISE} {data}] {_json(values)}"


def _quoted(text: str) -> str:
    """A parameter's value (RFC 5424, 6.3.3); controls would end the line."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _ocsf(values: dict[str, Any]) -> str:
    kind, _, verb = values["action"].partition(".")
    activity = _ACTIVITIES.get(verb, _UPDATE)
    before, after = _state(values, "before"), _state(values, "after")
    event: dict[str, Any] = {
        "category_uid": 3,
        "class_uid": _ENTITY_MANAGEMENT,
        "activity_id": activity,
        "type_uid": _ENTITY_MANAGEMENT * 100 + activity,
        "severity_id": 1,
        "time": values["time"],
        "message": values["action"],
        "metadata": {
            "version": "1.3.0",
            "uid": str(values["id"]),
            "product": {"name": "Package Hunter", "version": __version__, "vendor_name": "Package Hunter"},
        },
        "actor": {"user": {"name": values["who"]}},
        "entity": {"name": values["object"], "type": kind} | before,
        "unmapped": {"origin": values["origin"], "project": values["project"], "seal": values["seal"]},
    }
    if after:
        event["entity_result"] = {"name": values["object"], "type": kind} | after
    if values["why"]:
        event["comment"] = values["why"]
    return _json(event)


def _state(values: dict[str, Any], which: str) -> dict[str, Any]:
    """``data`` of an entity (a JSON object); nothing where there is none."""
    return {} if values[which] is None else {"data": json.loads(values[which])}


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {"jsonl": _json, "syslog": _syslog, "ocsf": _ocsf}
