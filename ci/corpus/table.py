"""The part of docs/evaluation.md that `make corpus` writes, between two marks."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ci.corpus.registries import MARKS, collapsed
from ci.corpus.rows import Row

BEGIN, END = "<!-- corpus; written by `make corpus` -->", "<!-- /corpus -->"
_MARKS = re.compile("|".join(MARKS))
_TITLES = {
    "project": "Projects",
    "script": "npm packages with install scripts",
    "sdist": "Python packages built from their source archives",
}
_HOW = (
    "Each is installed outside of any box by its own package manager, as a user without rights in a throw-away "
    "folder, and then scanned. *Same versions* compares names and versions of the two trees (their number in "
    "brackets). Packages of the lists are installed some at a time; where anything is off, by halves, down to the "
    "one that it is. *Right* says whether the verdict is: without a word by hand where nothing was found in the "
    "same tree, else as somebody found who read the report (`ci/judged.toml`). Both sides fetch from the registry; "
    "seconds are wall time.",
)
Judged = Mapping[str, Mapping[str, str]]


def write(document: Path, rows: Sequence[Row], judged: Judged) -> None:
    """Put the tables in place of those of an earlier run; at the end where there is no mark yet.

    Registries are not named: reports name them, the repository does not.
    """
    part = "\n".join([BEGIN, *_lines(rows, judged), END])
    part = _MARKS.sub("the registry", collapsed(part))
    before, _, after = _split(document.read_text(encoding="utf-8"))
    document.write_text(f"{before.rstrip()}\n\n{part}\n{after.lstrip()}", encoding="utf-8")


def beside(document: Path, text: str) -> None:
    """Write ``text`` as the whole document, but keep the part that `write` put there."""
    _, part, after = _split(document.read_text(encoding="utf-8") if document.exists() else "")
    document.write_text(f"{text.rstrip()}\n\n{part}\n{after}" if part else text, encoding="utf-8")


def _split(text: str) -> tuple[str, str, str]:
    """What stands before the part, the part with its marks (``""``: there is none), what stands after it."""
    before, begun, rest = text.partition(BEGIN)
    part, ended, after = rest.partition(END)
    return (before, begun + part + ended, after.lstrip("\n")) if ended else (text, "", "")


def _lines(rows: Sequence[Row], judged: Judged) -> list[str]:
    commits = ", ".join(sorted({row.commit for row in rows}))
    lines = ["## A corpus that is not ours", ""]
    lines += [
        f"Made by `make corpus`, at {commits}: {sum(row.size for row in rows)} projects and packages.",
        "",
        *_HOW,
        "",
    ]
    lines += [*_summary(rows, judged), "", *_speed(rows), ""]
    for group, title in _TITLES.items():
        mine = [row for row in rows if row.group == group]
        if mine:
            lines += [f"### {title}", "", *_table(mine, judged), ""]
    return lines[:-1]


def _accused(row: Row) -> bool:
    return row.verdict in ("malicious", "suspicious")


def _unclear(row: Row) -> bool:
    return row.verdict in ("inconclusive", "error")


def _summary(rows: Sequence[Row], judged: Judged) -> list[str]:
    counts: tuple[tuple[str, Callable[[Row], int]], ...] = (
        ("installed", lambda r: r.size),
        ("... bare well", lambda r: r.size * (r.bare == 0)),
        ("... of these, the same tree in the box", lambda r: r.size * (r.bare == 0 and r.same)),
        ("called malicious", lambda r: r.verdict == "malicious"),
        ("called suspicious", lambda r: r.verdict == "suspicious"),
        ("... wrongly, as read", lambda r: _accused(r) and _true(r, judged) == "no"),
        ("inconclusive where bare is well", lambda r: _unclear(r) and r.bare == 0),
        ("inconclusive where bare fails, too", lambda r: r.size * (_unclear(r) and r.bare != 0)),
    )
    lines = ["| | " + " | ".join(_TITLES.values()) + " |", "|---" * 4 + "|"]
    for title, count in counts:
        cells = [str(sum(count(r) for r in rows if r.group == group)) for group in _TITLES]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def _speed(rows: Sequence[Row]) -> list[str]:
    """Medians of what went well in both."""
    heads = (
        "manager",
        "items",
        "bare, s",
        "fetch and install in the box, s",
        "the whole scan, s",
        "install ratio",
    )
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    good = [r for r in rows if r.bare == 0 and r.same and r.inside_seconds and r.bare_seconds]
    for manager in sorted({row.manager for row in good}):
        mine = [row for row in good if row.manager == manager]
        columns: tuple[Callable[[Row], float], ...] = (
            lambda r: r.bare_seconds,
            lambda r: r.inside_seconds,
            lambda r: r.box_seconds,
            lambda r: r.inside_seconds / r.bare_seconds,
        )
        cells = [f"{statistics.median(map(column, mine)):.1f}" for column in columns]
        lines.append(f"| {manager} | {len(mine)} | " + " | ".join(cells) + " |")
    return lines


def _true(row: Row, judged: Judged) -> str:
    """Whether the verdict is right: by itself where nothing is found in the whole tree, else as somebody read it."""
    if told := judged.get(row.name):
        return told["true"]
    return "yes" if not row.miss and row.verdict == "no_findings" else "not read"


def _table(rows: Sequence[Row], judged: Judged) -> list[str]:
    heads = "what", "manager", "bare", "s", "in the box", "s", "same versions", "right", "remark"
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        what = ", ".join(row.packages) or row.name
        cells = [
            what,
            row.manager,
            "well" if row.bare == 0 else f"fails ({row.bare})",
            f"{row.bare_seconds:.0f}",
        ]
        cells += [row.verdict.replace("_", " "), f"{row.box_seconds:.0f}", _same(row), _true(row, judged)]
        cells.append(judged.get(row.name, {}).get("why", "") or _why(row))
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ").replace("<", "&lt;")


def _same(row: Row) -> str:
    if row.bare:
        return "-"
    if row.same:
        return f"yes ({row.count})"
    return " ".join(filter(None, ["no:", _short(row.missing, "not"), _short(row.extra, "more")])).rstrip(";")


def _short(names: Sequence[str], word: str) -> str:
    if not names:
        return ""
    return f"{word} {', '.join(names[:3])}{f' and {len(names) - 3} others' if len(names) > 3 else ''};"


def _why(row: Row) -> str:
    """The first word of the report, or of the manager where it failed outside."""
    if row.verdict in ("malicious", "suspicious") and row.findings:
        return row.findings[0][:160]
    if row.bare and row.bare_words:
        return "outside: " + row.bare_words.splitlines()[-1][:120]
    return row.reasons[0][:160] if row.reasons else row.kind
