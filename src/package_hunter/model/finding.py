"""Findings: what a person is told, made from alerts, canaries and decoys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from package_hunter.model.observation import Blame


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: ``what`` is a sentence, ``data`` the facts behind it (JSON values)."""

    time_ns: int
    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A behaviour of a package. ``severity`` is critical, high, medium, low or info; ``proof`` marks the
    proof-class kinds; ``attack`` holds ATT&CK technique ids; ``fingerprint`` survives re-runs and versions."""

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
