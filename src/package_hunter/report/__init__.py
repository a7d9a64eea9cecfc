"""Render: one file a format, each with ``render(report) -> str``; to add one, add a file and a line here."""

from __future__ import annotations

from collections.abc import Callable

from package_hunter.model.report import Report
from package_hunter.report import (
    cyclonedx,
    defectdojo,
    dependency_track,
    falco,
    gitlab,
    html,
    json,
    markdown,
    osv,
    sarif,
    text,
)

Renderer = Callable[[Report], str]

FORMATS: dict[str, Renderer] = {
    "text": text.render,
    "json": json.render,
    "falco": falco.render,
    "html": html.render,
    "markdown": markdown.render,
    "gitlab": gitlab.render,
    "sarif": sarif.render,
    "osv": osv.render,
    "cyclonedx": cyclonedx.render,
    "dependency-track": dependency_track.render,
    "defectdojo": defectdojo.render,
}

__all__ = ["FORMATS", "Renderer"]
