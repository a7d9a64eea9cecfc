"""Templates: compiled once, everything escaped and made harmless, nothing that is missing passes for empty."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from package_hunter.model.text import visible
from package_hunter.report import evidence
from package_hunter.report.harmless import harmless
from package_hunter.web.assets import asset


def _all() -> dict[str, str]:
    """Read with the module: the server's user may not be able to, later (a checkout in root's home)."""
    room = resources.files(__package__).joinpath("templates")
    return {f.name: f.read_text(encoding="utf-8") for f in room.iterdir() if f.name.endswith(".j2")}


_TEMPLATES = _all()


MAX_SHOWN = 2_000
"""Characters of a value that a template prints; `whole` prints all."""


def _shown(value: object) -> object:
    """What a template prints: markup of its own as it is, everything else harmless."""
    return value if isinstance(value, Markup) else harmless(value, MAX_SHOWN)


@cache
def environment() -> Environment:
    """Compiled with the first page, and kept."""
    made = Environment(
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({**evidence.TEMPLATES, **_TEMPLATES}),
    )
    evidence.install(made)
    made.filters |= {
        "words": words,
        "time": time,
        "clock": clock,
        "ago": ago,
        "whole": whole,
        "pretty": pretty,
        "outline": outline,
        "fits_in": fits_in,
    }
    made.globals |= {"asset": asset}
    return made


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """The text of a page, as UTF-8 can hold it."""
    text = environment().get_template(f"{template}.html.j2").render(values)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def words(value: object) -> str:
    """A name out of the API for people: ``needs_triage`` is "needs triage"."""
    return str(value).replace("_", " ")


def _parsed(value: str | datetime) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def time(value: str | datetime | None) -> Markup:
    """A moment, to the minute, in UTC; the whole of it for programs."""
    if value is None:
        return Markup("–")
    when = _parsed(value).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), f"{when:%Y-%m-%d %H:%M}")


def clock(value: str | datetime) -> Markup:
    """A moment within a scan, to the millisecond, in UTC."""
    when = _parsed(value).astimezone(UTC)
    shown = f"{when:%H:%M:%S}.{when.microsecond // 1_000:03d}"
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), shown)


_FULL = 0.98  # of a unit is one
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def ago(value: str | datetime | None) -> Markup:
    """How long ago (or ahead) that is; the moment itself for programs, and for who points at it."""
    if value is None:
        return Markup("–")
    when = _parsed(value).astimezone(UTC)
    seconds = (datetime.now(UTC) - when).total_seconds()
    if abs(seconds) < 60:
        text = "just now"
    else:
        text = f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds, nearest=True)}"
    markup = Markup('<time datetime="{}" title="{} UTC">{}</time>')
    return markup.format(when.isoformat(), f"{when:%Y-%m-%d %H:%M:%S}", text)


def span(seconds: float, *, nearest: bool = False) -> str:
    """A length of time in its largest unit: ``3 days``; those that are full or, of what is ahead, the ``nearest``: what
    ends in 14 days does so a moment later, too."""
    for name, size in _UNITS:
        count = int(seconds / size + 0.5) if nearest else int(seconds // size)
        if count and seconds >= size * (_FULL if nearest else 1):
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{int(seconds)} seconds"


def whole(value: object) -> Markup:
    """A text of several lines, all of it (a document, a body): controls visible, line ends kept."""
    return Markup.escape(visible(str(value), keep="\n\t"))


_READ: dict[str, Callable[[str], object]] = {
    "number": float,
    "date": date.fromisoformat,
    "datetime-local": datetime.fromisoformat,
}


def fits_in(value: object, kind: str) -> bool:
    """Whether a field of this kind shows the value: browsers leave out what is none, and it would be lost."""
    if value is None or value == "" or kind not in _READ:
        return True
    try:
        _READ[kind](str(value))
    except ValueError:
        return False
    return True


_DEEPEST = 8  # what style.css has


def outline(text: str) -> list[tuple[int, str]]:
    """Each line of a text with how far it is indented (two spaces are one, and 8 the most)."""
    lines = [(len(line) - len(line.lstrip(" ")), line.strip(" ")) for line in text.split("\n")]
    return [(min(spaces // 2, _DEEPEST), line) for spaces, line in lines]


def pretty(value: object) -> Markup:
    """JSON for people."""
    return whole(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
