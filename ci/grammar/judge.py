"""What a report says of one generated package, and the table of what is missed by factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ci.grammar.factors import FACTORS, Combination
from ci.grammar.write import Made

_ORDER = ("missed", "somebody else", "noticed", "malicious")


@dataclass(frozen=True)
class Outcome:
    """``got``: malicious or noticed (findings blamed on this package, with and without proof), somebody else (what it
    did was blamed on another, or nobody), missed. ``by`` are the kinds."""

    combination: Combination
    honest: bool
    name: str
    got: str
    by: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """A sibling may be looked at, never accused."""
        if self.honest:
            return self.got != "malicious"
        return self.got == "malicious" or (self.got == "noticed" and self.combination.right == "noticed")


def outcome(made: Made, report: Mapping[str, Any]) -> Outcome:
    """How the package came out. A package that was never installed is not missed: see ``absent``."""
    counting = [f for f in report["findings"] if f["severity"] != "info" and f["waived"] is None]
    mine = [f for f in counting if _of(f, made)]
    others = [f for f in counting if not _of(f, made) and _names(f, made)]
    got = "malicious" if any(f["proof"] for f in mine) else "noticed" if mine else "missed"
    if got == "missed" and others and not made.honest:
        got = "somebody else"
    if made.honest and any(f["proof"] and _package(f) == "" for f in others):
        got = "malicious"
    kinds = tuple(dict.fromkeys(f["kind"] for f in [*mine, *others]))
    return Outcome(made.combination, made.honest, made.name, got, kinds)


def absent(packages: Iterable[Made], report: Mapping[str, Any]) -> list[Made]:
    """Those that the scan did not install, so that nothing can be said of them."""
    here = {package["purl"].partition("@")[0] for package in report["packages"]}
    return [made for made in packages if made.purl not in here]


def _package(finding: Mapping[str, Any]) -> str:
    """Who is blamed, without version; empty: nobody."""
    return str((finding["blame"] or {}).get("package") or "").partition("@")[0]


def _of(finding: Mapping[str, Any], made: Made) -> bool:
    return _package(finding) == made.purl


def _names(finding: Mapping[str, Any], made: Made) -> bool:
    """Whether a finding of another is about this package's collector or files."""
    text = " ".join([finding["title"], *(evidence["what"] for evidence in finding["evidence"])])
    return made.name in text or made.module in text


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown: a row each value of each factor."""
    found = list(outcomes)
    head = "| factor | value | attacks | proven | noticed | by another | missed | siblings | to review | accused |"
    lines = [head, "|---" * 10 + "|", _row("all", "", found)]
    for factor in FACTORS:
        values = sorted({getattr(o.combination, factor) for o in found})
        lines += [_row(factor, v, [o for o in found if getattr(o.combination, factor) == v]) for v in values]
    return "\n".join(lines)


def _row(factor: str, value: str, outcomes: list[Outcome]) -> str:
    attacks = [o for o in outcomes if not o.honest]
    honest = [o for o in outcomes if o.honest]
    counts = [
        sum(o.got == got for o in attacks) for got in ("malicious", "noticed", "somebody else", "missed")
    ]
    twins = [len(honest), sum(o.got == "noticed" for o in honest), sum(o.got == "malicious" for o in honest)]
    cells = [factor, value, len(attacks), *counts, *twins]
    return "| " + " | ".join(map(str, cells)) + " |"


def wrong(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each that did not come out as it must."""
    bad = sorted(
        (o for o in outcomes if not o.right), key=lambda o: (o.honest, _ORDER.index(o.got), o.combination)
    )
    return [
        f"{'sibling' if o.honest else 'attack'} {o.name} ({o.combination}): {o.got}"
        + (f" ({', '.join(o.by)})" if o.by else "")
        for o in bad
    ]


def share_noticed(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """How many attacks were noticed, with the right one blamed, of how many."""
    due = [o for o in outcomes if not o.honest]
    return sum(o.got in ("malicious", "noticed") for o in due), len(due)


def as_json(o: Outcome) -> dict[str, Any]:
    """For the file of a run."""
    return {**asdict(o), "right": o.right}


def from_json(data: Mapping[str, Any]) -> Outcome:
    """The inverse."""
    by = tuple(data["by"])
    return Outcome(Combination(**data["combination"]), data["honest"], data["name"], data["got"], by)
