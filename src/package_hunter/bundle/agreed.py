"""What is signed, held against the report, the policy and the recordings that it names: it is made of them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from package_hunter.bundle import checked, policy
from package_hunter.bundle.checked import How
from package_hunter.bundle.make import predicate_of, subject_of
from package_hunter.bundle.statement import Predicate, Statement, written
from package_hunter.bundle.statement import read as read_statement
from package_hunter.model.report import Report
from package_hunter.model.report_form import to_json
from package_hunter.pipeline.rederive import Rederived

_WORDS = {
    "scan": "scan (id, target, times, depth)",
    "rules": "rules",
    "recordings": "recordings (world, time)",
    "image": "image",
    "day": "day",
    "verdict": "verdict",
    "decision": "decision",
    "report": "report",
    "policy": "policy",
}
_OF_RECORDINGS = ("rules", "recordings", "image")  # what only they tell
_MOST = 160


@dataclass(frozen=True, slots=True)
class Content:
    """What a bundle holds, each file as its digest says; ``raw`` is the report as it is written there."""

    report: Report
    raw: Mapping[str, Any]
    policy: policy.AnyPolicy
    rules: tuple[tuple[str, str], ...]
    recordings: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """``checked`` is how each thing that is signed was; ``differences`` are sentences."""

    checked: Mapping[str, How]
    differences: tuple[str, ...]


def compare(said: Statement, extra: Sequence[str], content: Content, rounds: Sequence[Rederived]) -> Agreed:
    """What is signed against what it should be. ``extra``: keys that this version does not know."""
    around = [one.surroundings for one in rounds if one.surroundings is not None]
    sure = len(around) == len(rounds) and bool(rounds)
    digests = {one.name: one.sha256 for one in said.predicate.files()}
    made = read_statement(
        written(
            subject_of(content.report, digests),
            predicate_of(content.report, content.policy, around if sure else (), digests),
        )
    )
    names = [name for name in _WORDS if sure or name not in _OF_RECORDINGS]
    known = {f"signed {name}": how for name, how in checked.STATEMENT.items()}
    known |= checked.weakened(f"signed {name}" for name in _OF_RECORDINGS if name not in names)
    known["signed subject"] = How.KEPT
    known |= checked.weakened(f"signed {name}" for name in extra)
    told = (*_of_statement(said, made, names), *_of_report(content))
    known |= checked.weakened(f"report.{key}" for key in content.raw if key not in checked.REPORT)
    return Agreed(known, told)


def _of_statement(said: Statement, made: Statement, names: Sequence[str]) -> Iterator[str]:
    if said.subject != made.subject:
        yield (
            f"The subject that is signed is {_things(said.subject)}, and that of the report is "
            f"{_things(made.subject)}."
        )
    one, other = _plain(said.predicate), _plain(made.predicate)
    for name in names:
        if one[name] != other[name]:
            yield (
                f"The {_WORDS[name]} that is signed is {_short(one[name])}; by report, policy and recordings it is "
                f"{_short(other[name])}."
            )


def _of_report(content: Content) -> Iterator[str]:
    """Whether report.json says anything in two ways: what follows from other parts of it, or is no plain value."""
    plain = to_json(content.report)
    for key, value in plain.items():
        if content.raw.get(key) != value and (key in content.raw or value):
            yield f"The report's {key} is not written as its own content says: {_first(content.raw.get(key), value)}."


def _first(said: Any, plain: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(said, dict) and isinstance(plain, dict):
        for key in sorted({*said, *plain}, key=str):
            if said.get(key) != plain.get(key):
                return _first(said.get(key), plain.get(key), f"{path}.{key}"[:_MOST])
    if isinstance(said, list) and isinstance(plain, list) and len(said) == len(plain):
        for number, (one, other) in enumerate(zip(said, plain, strict=True)):
            if one != other:
                return _first(one, other, f"{path}[{number}]"[:_MOST])
    return f"{path} is {_short(said)}, and not {_short(plain)}".strip()


def _plain(predicate: Predicate) -> dict[str, Any]:
    return predicate.model_dump(mode="json")


def _things(items: Sequence[Any]) -> str:
    return _short([(one.name, one.digest) for one in items[:3]])


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
