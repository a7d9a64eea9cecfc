"""The HTML report: one file that needs nothing else, runs no script and loads nothing (strict CSP)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from package_hunter.model.finding import Finding
from package_hunter.model.observation import Process
from package_hunter.model.plain import body_json
from package_hunter.model.report import Report
from package_hunter.model.times import rfc3339
from package_hunter.report import traffic, words
from package_hunter.report.harmless import any_text, defang, harmless
from package_hunter.report.indicators import indicators

MAX_PROCESSES = 600
MAX_DEPTH = 30
MAX_TIMELINE = 200
MAX_ROWS = 500
_SECTIONS = (
    ("news", "What is new"),
    ("next", "What next"),
    ("findings", "Findings"),
    ("waived", "Waived"),
    ("information", "For information"),
    ("timeline", "Timeline"),
    ("processes", "Processes"),
    ("network", "Network"),
    ("secrets", "Secrets"),
    ("files", "Files"),
    ("iocs", "Indicators"),
    ("coverage", "Coverage"),
)


@dataclass(slots=True)
class Node:
    """A process in the tree; ``hot`` where a finding speaks of it."""

    cmdline: str
    pid: int
    exit: int | None
    hot: bool
    children: list[Node] = field(default_factory=list)


def _shown(value: object) -> object:
    """What the template prints: markup of its own as it is, everything else harmless."""
    return value if isinstance(value, Markup) else harmless(value, 2000)


@cache
def _template() -> Template:
    """Compiled with the first report, and kept: compiling takes longer than rendering."""
    return Environment(
        autoescape=True, finalize=_shown, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(_TEMPLATE)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


# Read with the module: the server's user may not be able to, later (a checkout in root's home).
_TEMPLATE, _STYLE = _text("report.html.j2"), _text("report.css")


def _hot(report: Report) -> set[tuple[int, str]]:
    """Pid in the box and command line of the processes that findings speak of."""
    found: set[tuple[int, str]] = set()
    for finding in words.counting(report):
        for evidence in finding.evidence:
            chain = evidence.data.get("chain") or ()
            if isinstance(chain, list | tuple) and chain and isinstance(chain[-1], dict):
                found.add((chain[-1].get("pid", 0), str(chain[-1].get("cmdline", ""))))
    return found


def _tree(report: Report) -> tuple[list[Node], int]:
    """The roots of the process tree, and how many processes are not shown."""
    hot = _hot(report)
    kept = report.processes[:MAX_PROCESSES]
    nodes: dict[int, tuple[Node, int]] = {}
    roots: list[Node] = []
    for p in sorted(kept, key=lambda p: p.started_ns):
        node = Node(p.cmdline or p.name, p.vpid, p.exit_code, _is_hot(p, hot))
        parent = nodes.get(p.parent) if p.parent is not None else None
        if parent is None or parent[1] >= MAX_DEPTH:
            roots.append(node)
            nodes[p.key] = (node, 0)
        else:
            parent[0].children.append(node)
            nodes[p.key] = (node, parent[1] + 1)
    return roots, len(report.processes) - len(kept)


def _is_hot(process: Process, hot: set[tuple[int, str]]) -> bool:
    return (process.vpid, process.cmdline[:500]) in hot


def _timeline(report: Report) -> list[dict[str, str]]:
    rows = [(e.time_ns, e.what, f.blame) for f in words.counting(report) for e in f.evidence]
    rows.sort(key=lambda row: row[0])
    return [
        {"at": f"+{(at - report.started) / 1e9:.3f} s", "what": what, "who": words.who(blame)}
        for at, what, blame in rows
    ]


def _body(body: bytes) -> str:
    text, encoding = body_json(body[:8192])
    shown = text if encoding == "utf-8" else f"(base64) {text}"
    return Markup("\n").join(harmless(line, 2000) for line in shown.splitlines()[:200])


def _files(report: Report) -> list[Any]:
    hidden = ("/node_modules/", "/.npm/_", "/tmp/node-compile-cache/")  # noqa: S108 - a path in the box
    return [f for f in report.files if not any(part in f.path for part in hidden)]


def _groups(report: Report) -> Iterator[tuple[str, str, list[Finding]]]:
    """Findings that count, those that somebody accepted, and those that are no reason to worry."""
    yield "findings", "Findings", words.as_shown(words.counting(report))
    yield "waived", "Waived, and not counted", [f for f in words.as_shown(report.findings) if f.waived]
    told = [f for f in words.as_shown(report.findings) if f.severity == "info" and not f.waived]
    yield "information", "For information: honest packages do this too", told


def _values(report: Report) -> Iterator[tuple[str, Any]]:
    key = "failed" if report.status == "failed" else str(report.verdict)
    css = _STYLE
    kinds = {c.id: f"{c.kind} ({c.place})" for c in report.canaries.placed}
    roots, tree_cut = _tree(report)
    timeline = _timeline(report)
    yield "r", report
    yield "key", key
    yield "label", key.replace("_", " ").upper()
    yield "css", Markup(css)  # noqa: S704 - a file of ours
    yield "css_hash", base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    yield "words", words
    yield "marks", words.marks(report)
    yield "started", rfc3339(report.started)[:19] + "Z"
    yield "advice", list(words.advice(report))
    yield "clock", lambda ns: rfc3339(ns)[11:19]
    yield "ecosystems", ", ".join(dict.fromkeys(t.ecosystem for t in report.targets or (report.target,)))
    yield "real", traffic.real_address
    yield "groups", list(_groups(report))
    yield "evidence", lambda f: [e for e in f.evidence if e.what.rstrip(".") != f.title.rstrip(".")]
    yield "timeline", timeline[:MAX_TIMELINE]
    yield "timeline_cut", len(timeline) - MAX_TIMELINE
    yield "cut", lambda n: Markup('<p class="dim small">and {} more</p>').format(n) if n > 0 else ""
    yield "roots", roots
    yield "tree_cut", tree_cut
    yield "contacts", list(traffic.contacts(report))[:MAX_ROWS]
    yield "requests", list(traffic.requests(report))[:MAX_ROWS]
    yield "stolen", list(traffic.stolen(report))[:MAX_ROWS]
    yield "read", list(traffic.unlawful_reads(report))[:MAX_ROWS]
    yield "lawful", sorted({r.path for r in traffic.lawful_reads(report)})[:MAX_ROWS]
    yield "lookups", list(dict.fromkeys(d.name for d in report.network.dns))[:MAX_ROWS]
    yield "defang", defang
    yield "body", _body
    yield "kind", lambda canary: kinds.get(canary, canary)
    yield "files", _files(report)
    yield "iocs", list(indicators(report))


@any_text
def render(report: Report) -> str:
    """The report as one HTML file."""
    values = dict(_values(report))
    present = {
        "news": report.baseline is not None,
        "next": values["advice"],
        **{key: group for key, _, group in values["groups"]},
        "timeline": values["timeline"],
        "processes": values["roots"],
        "network": values["contacts"] or values["requests"] or values["lookups"],
        "secrets": values["stolen"] or values["read"] or values["lawful"] or report.canaries.replaced,
        "files": values["files"],
        "iocs": values["iocs"],
        "coverage": True,
    }
    sections = [(key, title) for key, title in _SECTIONS if present[key]]
    return _template().render(values, sections=sections)
