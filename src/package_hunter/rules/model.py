"""What a loaded rule file is: rules, problems, the whole set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from package_hunter.rules.ast import Literal, Node
from package_hunter.rules.document import Place


@dataclass(frozen=True)
class Problem:
    """An error or warning. ``code`` is stable, for programs; ``message`` and ``advice`` are sentences."""

    severity: str  # "error" | "warning"
    code: str
    place: Place
    message: str
    advice: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message} {self.advice}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """For `rules check --format json`."""
        return {
            "severity": self.severity,
            "code": self.code,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "advice": self.advice,
            "text": self.text,
        }


@dataclass(eq=False)
class Rule:
    """A rule, resolved. ``index`` is its place in the order of the files; ``types`` the event numbers on
    which it can match."""

    name: str
    desc: str
    condition: str
    output: str
    priority: str
    tags: tuple[str, ...]
    source: str
    enabled: bool
    place: Place
    index: int
    node: Node
    types: frozenset[int]


@dataclass
class RuleSet:
    """All that rule files gave. ``rules`` holds disabled ones too."""

    rules: list[Rule] = field(default_factory=list)
    macros: dict[str, Node] = field(default_factory=dict)
    lists: dict[str, tuple[Literal, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)  # macro -> its parts and its depth

    @property
    def errors(self) -> list[Problem]:
        """What keeps the files from being used."""
        return [p for p in self.problems if p.severity == "error"]

    def rule(self, name: str) -> Rule | None:
        """The rule of that name."""
        return next((r for r in self.rules if r.name == name), None)
