"""Findings: what a person is told, made from alerts, canaries and decoys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.observation import Blame

_NAMED = 3  # subjects that a sentence names
_NAME = 120  # characters of each


def in_words(subjects: Sequence[str]) -> str:
    """The first few of distinct subjects, and how many more."""
    distinct = list(dict.fromkeys(subject for subject in subjects if subject))
    more = len(distinct) - _NAMED
    return ", ".join(s[:_NAME] for s in distinct[:_NAMED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: ``what`` is a sentence, ``data`` the facts behind it (JSON values)."""

    time_ns: int
    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A behaviour of a package. ``severity`` is critical, high, medium, low or info; ``proof`` marks the
    proof-class kinds; ``attack`` holds ATT&CK technique ids; ``fingerprint`` survives re-runs and versions.
    ``subjects`` are what it was done to (hosts, files, programs; the first thousand), and ``form`` is which act of its
    kind it is (findings/data/forms.yaml), "" for the kind's own."""

    fingerprint: str
    kind: str
    severity: str
    title: str
    blame: Blame | None
    evidence: tuple[Evidence, ...]
    attack: tuple[str, ...] = ()
    count: int = 1
    proof: bool = False
    waived: str | None = None  # the waiver's reason
    explain: tuple[str, ...] = ()  # what raised it and what would have lowered it, sentences
    advice: tuple[str, ...] = ()  # what to do, sentences
    form: str = ""
    subjects: tuple[str, ...] = ()
