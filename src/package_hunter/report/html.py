"""The HTML report: one file that needs nothing else, runs no script and loads nothing (strict CSP)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.times import rfc3339
from package_hunter.report import evidence, words
from package_hunter.report.harmless import any_text, harmless

_SECTIONS = (
    ("news", "What is new"),
    ("next", "What next"),
    ("findings", "Findings"),
    ("waived", "Waived"),
    ("information", "For information"),
    ("timeline", "Timeline"),
    ("secrets", "Secrets"),
    ("network", "Network"),
    ("processes", "Processes"),
    ("files", "Files"),
    ("attack", "ATT&CK"),
    ("iocs", "Indicators"),
    ("coverage", "Coverage"),
)


def _shown(value: object) -> object:
    """What the template prints: markup of its own as it is, everything else harmless."""
    return value if isinstance(value, Markup) else harmless(value, 2000)


@cache
def _template() -> Template:
    """Compiled with the first report, and kept: compiling takes longer than rendering."""
    environment = Environment(
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({**evidence.TEMPLATES, "report.html.j2": _TEMPLATE}),
    )
    evidence.install(environment)
    return environment.get_template("report.html.j2")


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


# Read with the module: the server's user may not be able to, later (a checkout in root's home).
_TEMPLATE, _STYLE = _text("report.html.j2"), evidence.STYLE + _text("report.css")


def _groups(report: Report) -> Iterator[tuple[str, str, list[Finding]]]:
    """Findings that count, those that somebody accepted, and those that are no reason to worry."""
    yield "findings", "Findings", words.as_shown(words.counting(report))
    yield "waived", "Waived, and not counted", [f for f in words.as_shown(report.findings) if f.waived]
    told = [f for f in words.as_shown(report.findings) if f.severity == "info" and not f.waived]
    yield "information", "For information: honest packages do this too", told


def _values(report: Report) -> Iterator[tuple[str, Any]]:
    key = "failed" if report.status == "failed" else str(report.verdict)
    css = _STYLE
    yield "r", report
    yield "x", evidence.Exhibits(report)
    yield "key", key
    yield "label", key.replace("_", " ").upper()
    yield "css", Markup(css)  # noqa: S704 - files of ours
    yield "css_hash", base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    yield "words", words
    yield "marks", words.marks(report)
    yield "started", rfc3339(report.started)[:19] + "Z"
    yield "advice", list(words.advice(report))
    yield "clock", lambda ns: rfc3339(ns)[11:19]
    yield "ecosystems", ", ".join(dict.fromkeys(t.ecosystem for t in report.targets or (report.target,)))
    yield "groups", list(_groups(report))
    yield "evidence_of", lambda f: [e for e in f.evidence if e.what.rstrip(".") != f.title.rstrip(".")]


@any_text
def render(report: Report) -> str:
    """The report as one HTML file."""
    values = dict(_values(report))
    shown: evidence.Exhibits = values["x"]
    present = {
        "news": report.baseline is not None,
        "next": values["advice"],
        **{key: group for key, _, group in values["groups"]},
        "timeline": shown.timeline.lanes,
        "secrets": shown.secrets.ways or shown.secrets.lawful or report.canaries.replaced,
        "network": shown.network.talks or shown.network.lookups,
        "processes": shown.tree.roots,
        "files": shown.files.total,
        "attack": shown.attack,
        "iocs": shown.indicators,
        "coverage": True,
    }
    sections = [(key, title) for key, title in _SECTIONS if present[key]]
    return _template().render(values, sections=sections)
