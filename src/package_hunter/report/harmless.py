"""Text out of a box, made harmless to show: no terminal escape, no reordering, no invisible characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from package_hunter.model.report import Report
from package_hunter.model.text import all_well_formed, visible

P = ParamSpec("P")


def harmless(text: object, limit: int = 400) -> str:
    """One line of printable text; what is not printable is shown as an escape, what is too long is cut."""
    line = str(text)
    over = len(line) - limit
    if over > 0:
        line = line[:limit]
    line = visible(line)
    return f"{line}… ({over} more characters)" if over > 0 else line


def defang(indicator: str) -> str:
    """A host, address or URL in a form that nobody opens by accident: ``hxxps://evil[.]example/x``."""
    text = harmless(indicator)
    text = re.sub(r"^http", "hxxp", text, flags=re.IGNORECASE)
    head, slash, rest = text.partition("://")
    if not slash:
        return head.replace(".", "[.]").replace(":", "[:]") if "/" not in head else head.replace(".", "[.]")
    host, cut, path = rest.partition("/")
    return f"{head}://{host.replace('.', '[.]')}{cut}{path}"


def any_text(render: Callable[Concatenate[Report, P], str]) -> Callable[Concatenate[Report, P], str]:
    """Every format's ``render`` is marked so: it gets the report with all text well formed (see model/text.py), also
    one that was not made by a scan (read from a file, replayed)."""

    @wraps(render)
    def rendered(report: Report, /, *args: P.args, **kwargs: P.kwargs) -> str:
        return render(all_well_formed(report), *args, **kwargs)

    return rendered
