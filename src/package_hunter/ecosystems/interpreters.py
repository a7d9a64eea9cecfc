"""Which of the image's interpreters a project is for: what it says (wishes), against what is there.

The one that is first on PATH by itself stays unless the project says that it must not be; what it says and does not
get is a sentence with the command that adds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from package_hunter.model.box import HOME, PATH
from package_hunter.model.interpreters import Interpreter
from package_hunter.model.text import shortened

_OWN_BIN = f"{HOME}/.local/bin"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one place of the project says. ``place`` names it, ``text`` is what stands there, ``holds`` tells whether
    a version fits. ``must``: a range that a package manager holds to; else the one that its people use, by the
    numbers that matter (``short``: 3.12, 20). ``needs``: the project says it of something else, that needs such a one
    (a sentence's beginning: yarn 4.1 needs Node.js 18.12 or newer)."""

    place: str
    text: str
    holds: Callable[[tuple[int, ...]], bool]
    must: bool = False
    short: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """``interpreter`` is None where the image tells of none; ``notes`` are sentences for the report."""

    interpreter: Interpreter | None = None
    notes: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """Its folder, ``""`` for what is first on PATH by itself."""
        return self.interpreter.home if self.interpreter else ""

    @property
    def env(self) -> dict[str, str]:
        """The environment that puts it first on PATH, behind the user's own programs."""
        if not self.home:
            return {}
        return {"PATH": PATH.replace(f"{_OWN_BIN}:", f"{_OWN_BIN}:{self.home}/bin:", 1)}


def choose(kind: str, wishes: Sequence[Wish], available: Sequence[Interpreter]) -> Chosen:
    """The default where it fits all wishes; else the nearest to it that does; else the same for the ranges alone
    (``must``); else what comes after a range that is older than the default; else the default."""
    here = [one for one in available if one.kind == kind and one.numbers]
    if not here:
        return Chosen()
    default = next((one for one in here if not one.home), here[0])
    for looked_at in (wishes, [wish for wish in wishes if wish.must]):
        if found := _nearest(default, [one for one in here if _fits(one, looked_at)]):
            return Chosen(found, _sentences(found, wishes, here))
    used = _above(default, wishes, here)
    return Chosen(used, _sentences(used, wishes, here))


def _above(default: Interpreter, wishes: Sequence[Wish], here: Sequence[Interpreter]) -> Interpreter:
    """What is older than all that is here runs best on the oldest of those that are newer than it, of those that what
    the project names starts on; else the default."""
    asked = next((wish.short for wish in wishes if wish.must and not wish.needs and wish.short), "")
    if not re.fullmatch(r"\d{1,3}(?:\.\d{1,3})*", asked):
        return default
    numbers = tuple(int(part) for part in asked.split("."))
    can = [
        one for one in here if _fits(one, [wish for wish in wishes if wish.needs]) and one.numbers > numbers
    ]
    return min(can, key=lambda one: one.numbers) if default in can else default


def _nearest(default: Interpreter, fitting: Sequence[Interpreter]) -> Interpreter | None:
    """The default itself; else the oldest of those that are newer; else the newest of the older ones."""
    if default in fitting:
        return default
    newer = [one for one in fitting if one.numbers > default.numbers]
    if newer:
        return min(newer, key=lambda one: one.numbers)
    return max(fitting, key=lambda one: one.numbers, default=None)


def _fits(one: Interpreter, wishes: Sequence[Wish]) -> bool:
    return all(wish.holds(one.numbers) for wish in wishes)


def _sentences(used: Interpreter, wishes: Sequence[Wish], here: Sequence[Interpreter]) -> tuple[str, ...]:
    unmet = [wish for wish in wishes if not wish.holds(used.numbers)]
    met = [wish for wish in wishes if wish.holds(used.numbers)]
    said = [_why(used, wish) for wish in (*(w for w in met if not w.needs), *met)[:1]]
    said = said if used.home or (not unmet and not all(wish.needs for wish in met)) else []
    for wish in unmet:
        others = ", ".join(sorted({one.version for one in here}))
        asks = wish.needs or f"The project asks for another {used.program.split()[0]}"
        said.append(
            f"{asks} ({_words(wish)}): the box's image has {others}, "
            f"and {used.version} was used. {how_to_add(used.kind, wish.short)}"
        )
    return tuple(said)


def _why(used: Interpreter, wish: Wish) -> str:
    if wish.needs:
        return f"{used.program} was used: {wish.needs} ({_words(wish)})."
    return f"{used.program} was used, as the project asks ({_words(wish)})."


def _words(wish: Wish) -> str:
    return f"{wish.place}: {shortened(wish.text)}"


def how_to_add(kind: str, short: str) -> str:
    """The command that makes an image with that version (3.14, 16), and how scans use it."""
    option = f"--{kind} {short or ('MAJOR' if kind == 'node' else '3.MINOR')}"
    return f"To add it: `package-hunter image build {option}`; it says how scans use that image."
