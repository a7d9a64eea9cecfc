"""One result a line: what outside and box said of an item, and whether that is right."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ci.corpus.items import CI


@dataclass(frozen=True)
class Row:
    """What is kept of an item. Seconds are wall time; ``inside`` is that of the box's fetch and install."""

    name: str
    group: str
    manager: str
    kind: str
    packages: tuple[str, ...]
    scripts: bool
    expect: str
    commit: str
    bare: int
    bare_seconds: float
    bare_words: str
    count: int
    verdict: str
    box_seconds: float
    inside_seconds: float
    box_count: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    findings: tuple[str, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both trees are equal."""
        return not self.missing and not self.extra

    @property
    def miss(self) -> str:
        """What is not as the goal has it; ``""``: nothing."""
        if self.verdict in ("malicious", "suspicious", "error"):
            return self.verdict
        if self.expect == "partly":
            return "" if self.verdict == "inconclusive" else "nothing is said of what was left out"
        if self.bare != 0:
            return ""  # nothing to compare with: the manager itself cannot
        if self.missing or (self.extra and self.expect != "more"):
            return "another tree"
        return "inconclusive" if self.verdict == "inconclusive" else ""

    @property
    def size(self) -> int:
        """How many packages (or projects) stand in this line."""
        return max(1, len(self.packages))


def read(results: Path) -> dict[str, Row]:
    """The last line of each item."""
    if not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line["name"]: _row(line) for line in lines}


def _row(line: dict[str, Any]) -> Row:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line.items()}
    return Row(**values)


def add(results: Path, row: Row) -> None:
    """One more line."""
    with results.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(row)) + "\n")


def judged(names: Iterable[str] = (), listed: Path = CI / "judged.toml") -> dict[str, dict[str, str]]:
    """What somebody found who read the report: by item, ``true`` (yes, no) and ``why``."""
    told: dict[str, dict[str, str]] = (
        tomllib.loads(listed.read_text(encoding="utf-8")) if listed.exists() else {}
    )
    wanted = set(names)
    return {name: told[name] for name in told if not wanted or name in wanted}
