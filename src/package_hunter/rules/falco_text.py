"""The text of a condition as Falco 0.43 puts it together before it reads it.

Falco puts lists and exceptions in as text, wherever a list's name stands between blanks, commas, brackets or ``=``:
as a value, within quotes, and in a macro's place. What comes out may be something that nobody can read, and
Falco then refuses the file.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping, Sequence
from typing import Any

from package_hunter.rules.collect import Entry
from package_hunter.rules.exception_forms import LIST_OPERATORS

MAX_TEXT = 1 << 20
MAX_ALL = 1 << 24  # characters of all conditions together
_BLANKS = " \t\n\r"
_EDGES = r" \t\n\r(),="
_WORDS = re.compile(r"[^ \t\n\r(),=]+")


class TooLarge(ValueError):
    """The lists make the condition larger than is sensible."""


class FalcoLists:
    """The lists of all files as Falco has them: names of lists among the items are replaced once, where the named
    list was known when this one last changed."""

    def __init__(self, lists: Mapping[str, Entry]) -> None:
        self.order = {name: place for place, name in enumerate(lists)}
        self.names = list(lists)
        self.made = 0
        self.texts = [", ".join(map(_quoted, _items(entry, lists))) for entry in lists.values()]

    def put_into(self, condition: str) -> str:
        """The condition with every list's name replaced by its items. TooLarge where that grows without end, or
        all conditions so far have grown to more than ``MAX_ALL`` characters."""
        waiting = self._named_in(condition, -1)
        while waiting:
            place = heapq.heappop(waiting)
            condition = _replace(condition, self.names[place], self.texts[place])
            if len(condition) > MAX_TEXT:
                raise TooLarge
            for new in self._named_in(self.texts[place], place):
                if new not in waiting:
                    heapq.heappush(waiting, new)
        self.made += len(condition)
        if self.made > MAX_ALL:
            raise TooLarge
        return condition

    def _named_in(self, text: str, after: int) -> list[int]:
        found = sorted({self.order[w] for w in _WORDS.findall(text) if w in self.order})
        return [place for place in found if place > after]


def without_comps(entry: Entry) -> list[str]:
    """Exceptions that an override put in place of others without naming operators: Falco 0.43 forgets those that
    it means everywhere else, and cannot read what comes out."""
    given = entry.values.get("exceptions") or []
    bare = [e for e in given if e.get("values") and not e.get("comps")]
    return [str(e["name"]) for e in bare] if entry.replaced else []


def with_exceptions(condition: str, exceptions: Sequence[Mapping[str, Any]]) -> str:
    """The condition of a rule followed by what its exceptions say."""
    parts = [f"({condition})"] if exceptions else [condition]
    for exception in exceptions:
        said = _exception(exception)
        if said:
            parts.append(f"not {said}")
    return " and ".join(parts)


def _items(entry: Entry, lists: Mapping[str, Entry]) -> list[str]:
    found: list[str] = []
    for item in entry.values["items"]:
        other = lists.get(item)
        inside = other is not None and other.seen < entry.changed
        found += other.values["items"] if other is not None and inside else [item]
        if len(found) > MAX_TEXT:
            raise TooLarge
    return found


def _replace(condition: str, name: str, items: str) -> str:
    """One walk: the name wherever it stands between two edges, with the blanks around it, becomes the items."""
    out: list[str] = []
    size, tail, at = 0, "", 0
    for found in re.finditer(rf"(?<![^{_EDGES}]){re.escape(name)}(?![^{_EDGES}])", condition):
        before = (tail + condition[at : found.start()]).rstrip(_BLANKS)
        at = found.end()
        while condition[at : at + 1] and condition[at] in _BLANKS:
            at += 1
        if not items and before.endswith(","):
            before = before[:-1]
        elif not items and condition[at : at + 1] == ",":
            at += 1
        out.append(f"{before} " if before else "")
        tail = f"{items} "
        size += len(out[-1])
        if size > MAX_TEXT:
            raise TooLarge
    return "".join([*out, tail, condition[at:]])


def _exception(exception: Mapping[str, Any]) -> str:
    fields, rows = exception["fields"], exception.get("values") or []
    if not rows:
        return ""
    if isinstance(fields, str):
        values = ", ".join(_quoted(_text(value)) for value in rows)
        return f"({fields} {exception.get('comps') or 'in'} ({values}))"
    comps = [str(c) for c in exception.get("comps") or ["="] * len(fields)]
    return "(" + " or ".join(_row(fields, comps, row) for row in rows) + ")"


def _row(fields: Sequence[Any], comps: Sequence[str], row: Sequence[Any]) -> str:
    said = []
    for field, comp, value in zip(fields, comps, row, strict=True):
        if isinstance(value, list):
            values = f"({', '.join(_quoted(_text(v)) for v in value)})"
        elif comp in LIST_OPERATORS:
            values = _text(value) if _text(value)[:1] == "(" else f"({_text(value)})"
        else:
            values = _quoted(_text(value))
        said.append(f"{field} {comp} {values}")
    return "(" + " and ".join(said) + ")"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _quoted(item: str) -> str:
    return f'"{item}"' if " " in item and item[0] not in "\"'" else item
