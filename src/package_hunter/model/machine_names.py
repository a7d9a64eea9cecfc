"""Host names that a machine made up: random letters, hexadecimal digits, as no person chooses them.

Who wants to know whether every name is answered (as in a sandbox) asks for such a name. A name that a person chose
is not known by its letters from one that a person might have chosen, so those are left alone.
"""

from __future__ import annotations

import re

_MIN_LETTERS = 8
_MIN_MIXED = 6
_CHANGES = 3  # between letters and digits: `web2py` has two, `x7f3kq` four
_UNCOMMON = 0.5  # of a label's pairs of letters; of random letters it is 0.64, of names about 0.1
_HEX = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}")
_RUNS = re.compile(r"[a-z]+|\d+")
# The pairs of letters that make up nine tenths of the names of Debian 12's packages.
_COMMON = frozenset(
    re.findall(
        "..",
        "liibdeeronevinthstanpeocterepyhoroatcoytesenradolaorlebgitngtiolrlseargitamantgorutoodasmoiliccr"
        "ustrosubssmeghpaelbrrietnoomhcamalplaccanenumiprloapgebiiodiavcldasiexnsvajachheisvectipecutooba"
        "luopimckmplsemndbofirthufocebctsmlbsedpsphllunulgnrseaponasootblniagadidspirshbuurofbypihaieppsc"
        "bmabncsauibeugkeeeuxgraiobouigttdubjmmptrmbpiardvibtsyrydbebrcqtysxtogltepciglbdhiwehtskmutyuatp"
        "tcauumhpcsccqulpnfupgaypfrbnsljswibbifivpckiowsmfaffwagspubfguldflturpbkuetksurvtldrcpcumdeoaybx"
        "ox",
    )
)


def is_machine_made(label: str) -> bool:
    """Whether a label of a host name (lower case), or a part of it between hyphens, looks made by a machine."""
    return len(label) <= 63 and any(map(_is_random, label.split("-")))


def _is_random(word: str) -> bool:
    if _HEX.fullmatch(word):
        return True
    runs = _RUNS.findall(word)
    if len(word) >= _MIN_MIXED and len(runs) > _CHANGES and max(map(len, runs)) < _MIN_LETTERS:
        return True
    words = [run for run in runs if run.isalpha()]
    pairs = [run[i : i + 2] for run in words for i in range(len(run) - 1)]
    if sum(map(len, words)) < _MIN_LETTERS or not pairs:
        return False
    return sum(pair not in _COMMON for pair in pairs) > _UNCOMMON * len(pairs)


def machine_made(name: str) -> tuple[str, ...]:
    """The labels of a host name, its last one left out, that look as if a machine had made them."""
    return tuple(label for label in name.lower().split(".")[:-1] if is_machine_made(label))
