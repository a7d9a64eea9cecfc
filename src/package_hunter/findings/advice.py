"""What to do next, as it fits what was seen: a kind's advice (data/kinds.yaml) is for its ordinary case, and some of
its sentences would be wrong in others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from package_hunter.findings.catalog import Class, Kind
from package_hunter.findings.context import Context
from package_hunter.findings.forms import Form
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Blame

TOLD = (
    "Find out what it tells that host, and why. Telemetry can mostly be switched off by a setting or a variable of the "
    "tool; if you agreed to it, waive the finding for this package."
)
NOTHING_ASKED = "Find out what it wanted of that host: it connected, and asked for nothing by HTTP."
SETTINGS = (
    "Many tools look into the package manager's settings for the registry and the proxy. Keep tokens for publishing "
    "out of them, and give them to the commands that publish alone."
)
MADE_HERE = "Nothing was fetched from a stranger before: look in the package for where the bytes came from."
SCHEDULE = (
    "Look at the schedules and services of the user on machines that installed this, and undo the change."
)
OWN_HANG = "Run the command by itself, and see what it waits for."
OWN = "The project's own script does this: look at its history, at who changed it and when."
# what can be done about a version of a package only
_OF_A_VERSION = re.compile(r"\b(?:(?:the|previous|new) version|its registry|maintainers|archive that the)\b")
_OF_A_PROJECT = (
    (", and remove the version", ""),
    ("Block the destination, remove the version, report it.", "Block the destination."),
    ("this version", "this project"),
    (", without this one", ""),
)


def advice(
    kind: Kind, acts: Mapping[Form, Sequence[Signal]], context: Context, blame: Blame | None
) -> tuple[str, ...]:
    """Sentences for a finding of this kind whose signals are these acts. A form's own advice stands; that of the kind
    is fitted to what was seen."""
    signals = [signal for those in acts.values() for signal in those]
    parts = [
        form.advice if form.advice != kind.advice else _fitting(kind, those, context)
        for form, those in acts.items()
    ]
    said = tuple(dict.fromkeys(sentence for part in parts for sentence in part))
    if blame is None or blame.package is not None or blame.confidence != "certain" or not kind.advice:
        return said
    if max(s.weight for s in signals) is Class.INFO:
        return said
    if kind.name == "hang":
        return (OWN_HANG, OWN)
    return (*(own for sentence in said if not _OF_A_VERSION.search(own := _of_project(sentence))), OWN)


def _of_project(sentence: str) -> str:
    for text, put in _OF_A_PROJECT:
        sentence = sentence.replace(text, put)
    return sentence


def _fitting(kind: Kind, signals: Sequence[Signal], context: Context) -> tuple[str, ...]:
    match kind.name:
        case "outbound_connection":
            return _of_contact(kind, {s.subject for s in signals}, context)
        case "credential_access" if all(s.facts.get("settings") for s in signals):
            return (*kind.advice, SETTINGS)
        case "dropped_executable" if not context.fetched_anything:
            return (MADE_HERE,)
        case "persistence" if not any(s.subject.startswith("/") for s in signals):
            return (SCHEDULE,)
    return kind.advice


def _of_contact(kind: Kind, hosts: Iterable[str], context: Context) -> tuple[str, ...]:
    """Whether it told the host something, fetched something, or asked for nothing."""
    asked = [r for host in hosts for r in context.asked_of.get(host, ())]
    told = any(r.body_bytes or r.method.upper() not in ("GET", "HEAD", "OPTIONS", "CONNECT") for r in asked)
    fetched = any(r.method.upper() == "GET" for r in asked)
    return (
        *((TOLD,) if told else ()),
        *(kind.advice if fetched else ()),
        *((NOTHING_ASKED,) if not asked else ()),
    )
