"""Events that a report tells of, with the fields that Falco conditions look at: what rules matched on, programs that
were started, files that were changed, connections.

Not all that was seen: that is the recording, where one is kept (`GET /scans/ID/recorded`). The page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.model.observation import Process
from package_hunter.report import words
from package_hunter.report.evidence import Exhibits

MOST = 5_000
"""That are looked at, those first that rules matched on."""
_MAX_TEXT = 1_000
_CALLS = {
    "created": "openat",
    "written": "openat",
    "deleted": "unlinkat",
    "renamed": "renameat2",
    "mode": "fchmodat",
}


@dataclass(frozen=True, slots=True)
class Event:
    """``fields`` by Falco's names; ``what`` for people; ``process`` is the key of who did it."""

    time_ns: int
    what: str
    fields: Mapping[str, Any]
    process: int | None = None


def told(found: Exhibits) -> tuple[list[Event], int]:
    """The first `MOST` in the order of time, and how many there are."""
    report = found.report
    total = len(report.alerts) + len(report.processes) + len(report.files) + len(found.contacts)
    taken = [one for one, _ in zip(_all(found), range(MOST), strict=False)]
    return sorted(taken, key=lambda event: event.time_ns), total


def _all(found: Exhibits) -> Iterator[Event]:
    report = found.report
    by_key = {process.key: process for process in report.processes}
    for alert in report.alerts:
        fields = {"evt.type": alert.event_type, **{k: _cut(v) for k, v in alert.output_fields.items()}}
        yield Event(alert.time_ns, f"rule {alert.rule}", fields, found.process_of_alert(alert))
    for contact in found.contacts:
        key = found.process_of(contact.blame, contact.time_ns)
        name = contact.name or contact.address
        fields = {
            "evt.type": "connect",
            "fd.name": f"->{contact.address}:{contact.port}",
            "fd.sip": contact.address,
            "fd.sip.name": _cut(contact.name or ""),
            "fd.sport": contact.port,
            "fd.rport": contact.port,
            "fd.l4proto": contact.protocol,
        }
        yield Event(
            contact.time_ns, f"connect {name}:{contact.port}", fields | _of(by_key.get(key or 0)), key
        )
    for change in report.files:
        fields = {"evt.type": _CALLS.get(change.action, "openat"), "fd.name": _cut(change.path)}
        fields |= {"fd.typechar": "f", "evt.is_open_write": change.action in ("created", "written")}
        doer = by_key.get(change.process)
        yield Event(change.time_ns, f"{change.action} {change.path}", fields | _of(doer), change.process)
    for process in report.processes:
        fields = {"evt.type": "execve", **_of(process)}
        said = f"started {process.cmdline or process.name}"
        yield Event(process.started_ns, said, fields, process.key)


def _of(process: Process | None) -> dict[str, Any]:
    if process is None:
        return {}
    return {
        "proc.name": _cut(process.name),
        "proc.exepath": _cut(process.exepath),
        "proc.cmdline": _cut(process.cmdline),
        "proc.cwd": _cut(process.cwd),
        "proc.pid": process.pid,
        "proc.vpid": process.vpid,
        "user.uid": process.uid,
    }


def _cut(value: Any) -> Any:
    return value[:_MAX_TEXT] if isinstance(value, str) else value


def fields_said(event: Event) -> str:
    """Its fields, a line."""
    return " ".join(f"{name}={words.short(value, 200)}" for name, value in sorted(event.fields.items()))
