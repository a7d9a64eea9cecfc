"""Whether two names look the same to a person: who approves must know whom he reads.

A part of Unicode's confusables (UTS 39, section 4): letters of other scripts, and the digits, that stand in usual
fonts like a Latin letter. Not the whole table: what remains is seen by who looks twice.
"""

from __future__ import annotations

import unicodedata

from package_hunter.model.text import visible

_ALIKE = str.maketrans(
    "авеёзкмнорстухіїјѕһԁԛԝғгп"  # Cyrillic
    "αβγεηικνορτυχωϲϳ"  # Greek
    "օսոհ"  # Armenian
    "01|",
    "abeeskmhopctyxiijshdqwfrnabyenikvoptuxwcjounholl",
)


def looks(name: str) -> frozenset[str]:
    """What the name may be taken for: two names of which one is the same look alike."""
    folded = unicodedata.normalize("NFKC", name)
    folded = "".join(c for c in folded if visible(c) == c)
    return frozenset(_plain(form) for form in (folded, folded.replace("I", "l")))


def alike(one: str, other: str) -> bool:
    """Whether a person would take one for the other."""
    return not looks(one).isdisjoint(looks(other))


def _plain(name: str) -> str:
    return " ".join(name.casefold().translate(_ALIKE).replace("rn", "m").split())
