"""Version ranges as npm (``engines``) and poetry write them: ``^20 || >=22.1``, ``1.2 - 2``, ``~3.11``, ``18.x``.

Only releases are compared, since interpreters are releases; what cannot be read is None, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Numbers = tuple[int, ...]
Holds = Callable[[Numbers], bool]
_MAX = 500  # characters of a range that are read
_NUMBER = r"(?:\d{1,6}|[xX*])"
_ONE = re.compile(rf"(\^|~>|~=?|>=|<=|>|<|===?|!=|=)?\s*v?({_NUMBER}(?:\.{_NUMBER}){{0,3}})(?:[-+][\w.+-]*)?")
_BETWEEN = re.compile(r"\s*[\s,&]\s*")


def allows(text: str) -> Holds | None:
    """Whether a version's numbers are within the range; None where it is no range."""
    if len(text) > _MAX:
        return None
    parts = [_all_of(part) for part in re.split(r"\|\|?", text)]
    if any(part is None for part in parts):
        return None
    return lambda version: any(part is not None and part(version) for part in parts)


def _all_of(text: str) -> Holds | None:
    text = text.strip()
    if text in ("", "*", "x", "X", "latest"):
        return lambda version: True
    if hyphen := re.fullmatch(r"(\S+)\s+-\s+(\S+)", text):
        text = f">={hyphen[1]} <={hyphen[2]}"
    holds: list[Holds] = []
    at = 0
    while at < len(text):
        hit = _ONE.match(text, at)
        if hit is None:
            return None
        holds.append(_comparison(hit[1] or "", hit[2]))
        at = hit.end()
        gap = _BETWEEN.match(text, at)
        if gap is None and at < len(text):
            return None
        at = gap.end() if gap else at
    return lambda version: all(one(version) for one in holds)


def _comparison(sign: str, version: str) -> Holds:
    given = tuple(int(part) for part in re.match(r"[\d.]*", version)[0].split(".") if part)  # type: ignore[index]
    partial = len(given)

    def same(found: Numbers) -> bool:
        return found[:partial] == given

    if not given:
        return lambda found: sign not in ("<", ">", "!=")
    if sign in (">=", "<"):
        return lambda found: (_full(found) >= _full(given)) is (sign == ">=")
    if sign in (">", "<="):  # of a partial version: beyond all that begin so
        return lambda found: (_full(found) > _full(given) and not same(found)) is (sign == ">")
    if sign == "!=":
        return lambda found: not same(found)
    if sign == "^":
        first = next((number for number, part in enumerate(given) if part), partial - 1)
        return lambda found: _full(found) >= _full(given) and found[: first + 1] == given[: first + 1]
    if sign.startswith("~"):
        kept = max(1, min(partial, 2) if sign != "~=" else partial - 1)
        return lambda found: _full(found) >= _full(given) and found[:kept] == given[:kept]
    return same


def _full(numbers: Numbers) -> Numbers:
    return (*numbers, 0, 0, 0)[:4] if len(numbers) < 4 else numbers[:4]
