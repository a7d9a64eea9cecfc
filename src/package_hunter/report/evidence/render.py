"""How macros print text: harmless, cut, with a way to see all of it. `install` puts it into a Jinja environment."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment
from markupsafe import Markup

from package_hunter.model.text import visible
from package_hunter.report.harmless import defang, harmless

_NAMES = (
    "text",
    "finding",
    "tree",
    "timeline",
    "network",
    "files",
    "secrets",
    "attack",
    "indicators",
    "coverage",
)
_SHORT = 240  # characters of a text that are shown at once
_WHOLE = 64 << 10  # characters of one that can be opened


def _read(name: str) -> str:
    return resources.files("package_hunter.report").joinpath("templates", name).read_text(encoding="utf-8")


# Read with the module: the server's user may not be able to, later (a checkout in root's home).
TEMPLATES = {f"evidence/{name}.html.j2": _read(f"evidence/{name}.html.j2") for name in _NAMES}
"""Templates by name, for the loader of whoever imports the macros."""
STYLE = _read("tokens.css") + _read("evidence.css")
"""Design tokens and what the components look like."""


def install(environment: Environment) -> None:
    """The filters that the macros use."""
    environment.filters |= {
        "line": _line,
        "defanged": _defanged,
        "head": _head,
        "is_cut": _is_cut,
        "rest": _rest,
        "count": _count,
        "size": size,
        "fit": _fit,
    }


def _line(text: object) -> str:
    return harmless(text, 2_000)


def _defanged(text: object) -> str:
    return defang(str(text)[:2_000])


def _head(text: object, most: int = _SHORT) -> str:
    """The beginning, on one line."""
    return visible(str(text)[:most].replace("\n", " ")) + ("…" if len(str(text)) > most else "")


def _is_cut(text: object, most: int = _SHORT) -> bool:
    """Whether `head` leaves something out, or shows as one line what has several."""
    return len(str(text)) > most or "\n" in str(text)


def _rest(text: object) -> Markup:
    """All of it that a page can hold, line by line; beyond that how much more there is, and where."""
    whole = str(text)
    shown = Markup.escape(visible(whole[:_WHOLE], keep="\n\t"))
    more = len(whole) - _WHOLE
    if more <= 0:
        return shown
    return shown + Markup("\n… {} more characters: the JSON report has all of it.").format(f"{more:,}")


def _count(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2 files``, ``12,000 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """Bytes for people."""
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} B"


def _fit(text: object, most: int) -> str:
    """One line of at most so many characters, the middle left out: both ends of a path or a host tell most."""
    line = visible(str(text)[:2_000].replace("\n", " "))
    if len(line) <= most:
        return line
    front = (most - 1) // 2
    return f"{line[:front]}…{line[-(most - 1 - front) :]}"
