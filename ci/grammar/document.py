"""The grammar's part of docs/evaluation.md, which `make eval` leaves where it is."""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "<!-- grammar: made by `make grammar` -->", "<!-- /grammar -->"


def part(text: str) -> str:
    """The part with its marks; empty where there is none."""
    first, last = text.find(BEGIN), text.find(END)
    return text[first : last + len(END)] if 0 <= first < last else ""


def put(document: Path, lines: str) -> None:
    """Write the part anew, at the document's end where it has none yet."""
    text = document.read_text(encoding="utf-8")
    new, old = f"{BEGIN}\n{lines.strip()}\n{END}", part(text)
    text = text.replace(old, new) if old else f"{text.rstrip()}\n\n{new}\n"
    document.write_text(text, encoding="utf-8")
