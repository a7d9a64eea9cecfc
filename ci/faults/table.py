"""The table as Markdown, put into docs/faults.md between its marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ci.faults.row import Row

BEGIN, END = "<!-- faults: made by `make faults` -->", "<!-- /faults -->"
_HEAD = (
    "| fault | database | times | accepted | finished once | failed: target | failed: ours | lost | doubled "
    "| left behind | minutes |"
)
_MOST = 6  # things left behind that are named in a note; the JSON has all


def markdown(rows: Sequence[Row], machine: str) -> str:
    """Where and when, the table, its sum, and a list of what is to be known of single rows."""
    if not rows:
        return "No row was made."
    dates = sorted({row.date[:10] for row in rows})
    commits = sorted({row.commit for row in rows})
    seeds = sorted({str(row.seed) for row in rows})
    head = f"{_span(dates)}, at {', '.join(commits)}, seed {', '.join(seeds)}; {machine}."
    lines = [head, "", _HEAD, "|" + "---|" * 11, *map(_line, rows), _sum(rows)]
    notes = list(_notes(rows))
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def put(document: Path, text: str) -> None:
    """Write the part between the marks anew; at the document's end where it has none yet."""
    old = document.read_text(encoding="utf-8")
    new = f"{BEGIN}\n\n{text.strip()}\n\n{END}"
    first, last = old.find(BEGIN), old.find(END)
    found = 0 <= first < last
    whole = old[:first] + new + old[last + len(END) :] if found else f"{old.rstrip()}\n\n{new}\n"
    document.write_text(whole, encoding="utf-8")


def _span(dates: Sequence[str]) -> str:
    return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


def _line(row: Row) -> str:
    waiting = f" ({row.waiting} left waiting on purpose)" if row.waiting else ""
    cells = (
        row.what, row.database, row.times, row.accepted, f"{row.finished}{waiting}", row.target, row.ours,
        row.lost, row.doubled, len(row.left), f"{row.seconds / 60:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _sum(rows: Sequence[Row]) -> str:
    numbers = (
        sum(column)
        for column in zip(
            *(
                (r.times, r.accepted, r.finished, r.target, r.ours, r.lost, r.doubled, len(r.left))
                for r in rows
            ),
            strict=True,
        )
    )
    minutes = f"{sum(row.seconds for row in rows) / 60:.1f}"
    return f"| **all** | | {' | '.join(f'**{n}**' for n in numbers)} | {minutes} |"


def _notes(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        said = list(row.notes)
        if row.left:
            more = f" and {len(row.left) - _MOST} more" if len(row.left) > _MOST else ""
            said.append(f"left behind: {', '.join(row.left[:_MOST])}{more}")
        if said:
            yield f"- `{row.name}`: {'; '.join(said)}."
