"""The text report: what happened, who did it, how we know, what to do; understood in ten seconds."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame
from package_hunter.model.report import Report
from package_hunter.model.scan import PhaseCoverage, Verdict
from package_hunter.model.times import rfc3339
from package_hunter.report import traffic, words
from package_hunter.report.harmless import any_text, harmless

MAX_FULL = 8
MAX_EVIDENCE = 3
MAX_STEPS = 10
MAX_CHAIN = 6
MAX_ROWS = 15
MAX_TARGETS = 4
MAX_SENTENCE = 1_500
_FAVOUR = "In its favour: "
STYLES = {
    "malicious": "bold white on red",
    "suspicious": "bold black on yellow",
    "inconclusive": "bold black on cyan",
    "no_findings": "bold",
    "failed": "bold white on red",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}


def _console(color: bool | None, width: int | None) -> Console:
    tty = sys.stdout.isatty()
    if color is None:
        color = not os.environ.get("NO_COLOR") and (tty or bool(os.environ.get("FORCE_COLOR")))
    if width is None:
        width = shutil.get_terminal_size((100, 25)).columns if tty or "COLUMNS" in os.environ else 100
    return Console(
        file=io.StringIO(),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        width=max(40, width),
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )


def _rows(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Labels to the left, text folded beside them."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim", min_width=8)
    table.add_column(overflow="fold")
    for label, content in rows:
        table.add_row(label, content if not isinstance(content, str) else Text(content))
    return table


def _clock(time_ns: int) -> str:
    return rfc3339(time_ns)[11:19]


def _evidence(finding: Finding) -> Iterator[Text]:
    told = [e for e in finding.evidence if e.what.rstrip(".") != finding.title.rstrip(".")]
    for evidence in told[:MAX_EVIDENCE]:
        yield Text.assemble((_clock(evidence.time_ns), "dim"), "  ", words.short(evidence.what, 300))
    if (more := len(told) - MAX_EVIDENCE) > 0:
        yield Text(f"and {more} more, see --format json", "dim")


def _finding_rows(finding: Finding, explain: bool, above: list[str]) -> Iterator[tuple[str, RenderableType]]:
    """Rows of a finding; ``above`` is the chain of processes that was shown last."""
    if evidence := list(_evidence(finding)):
        yield "evidence", Group(*evidence)
    chain = words.chain_of(finding) or [
        words.short(c, 160) for c in [finding.blame.cmdline if finding.blame else ""] if c
    ]
    if chain and chain != above:
        yield "process", _chain(chain, above)
    if rules := words.rules_of(finding):
        yield "rule", ", ".join(rules)
    if finding.attack:
        yield "ATT&CK", ", ".join(finding.attack)
    if explain:
        yield "why", Text("\n").join(Text(harmless(line, 1000)) for line in finding.explain)
        yield "waive by", f"fingerprint {finding.fingerprint}"


def _chain(commands: list[str], above: list[str]) -> Group:
    """Who started whom, each a step further in, from where it parts from the chain that was shown last."""
    same = 0
    while same < min(len(commands), len(above)) and commands[same] == above[same]:
        same += 1
    cut = max(same - 1, len(commands) - MAX_CHAIN, 0)
    shown = [f"… {commands[cut]}" if cut else commands[0], *commands[cut + 1 :]]
    return Group(*(_step(depth, command) for depth, command in enumerate(shown)))


def _step(depth: int, command: str) -> RenderableType:
    if not depth:
        return Text(command, overflow="fold")
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row("└", Text(command))
    return Padding(row, (0, 0, 0, 2 * (depth - 1)))


def _full(number: int, finding: Finding, explain: bool, above: list[str]) -> Group:
    head = Text.assemble(
        f"{number:2}. ",
        (finding.severity.upper(), STYLES[finding.severity]),
        (" (proof)" if finding.proof else "", "bold red"),
        "  ",
        (words.short(finding.title), "bold"),
        (f"  ({finding.count} times)" if finding.count > 1 else "", "dim"),
    )
    return Group(head, Padding(_rows(_finding_rows(finding, explain, above)), (0, 0, 1, 4)))


def _doer(blame: Blame | None) -> Text:
    """Above the findings of one script: who it was, how sure that is, and how it came into the project."""
    if blame is None:
        return Text("Done by: not known which package", "bold")
    path = words.tree_path(blame) if len(blame.path) > 1 else ""
    about = ", ".join(part for part in (words.sureness(blame), path) if part)
    known = f"  ({about})" if about else ""
    return Text.assemble(("Done by: ", "dim"), (words.who(blame), "bold"), (known, "dim"))


def _findings(findings: list[Finding], explain: bool) -> Iterator[RenderableType]:
    """The gravest findings, those of the same script together under its name."""
    shown = findings[:MAX_FULL]
    numbers = itertools.count(1)
    for who in dict.fromkeys(words.who(f.blame) for f in shown):
        group = [f for f in shown if words.who(f.blame) == who]
        yield Padding(_doer(group[0].blame), (0, 0, 1, 0))
        above: list[str] = []
        for finding in group:
            yield _full(next(numbers), finding, explain, above)
            above = words.chain_of(finding) or above


def _head(report: Report) -> Text:
    key = "failed" if report.status == "failed" else str(report.verdict)
    label = key.replace("_", " ").upper()
    return Text.assemble((f" {label} ", STYLES[key]), " ", (words.verdict_sentence(report), "bold"))


def _about(report: Report) -> Text:
    every = dict.fromkeys(t.purl or t.name for t in report.targets or (report.target,))
    target = ", ".join(harmless(name) for name in list(every)[:MAX_TARGETS])
    target += f" and {len(every) - MAX_TARGETS} more" if len(every) > MAX_TARGETS else ""
    parts = [f"{target} ({harmless(_ecosystems(report))})", _plural(len(report.packages), "package")]
    parts += [f"{words.seconds(report):.1f} s", f"decision: {report.decision}"]
    return Text(" · ".join(parts), "dim")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _contacts(report: Report) -> list[Text]:
    """Names and addresses that were contacted, the registry left out."""
    lines: dict[str, Text] = {}
    for c in traffic.contacts(report):
        name = harmless(c.name or "no name")
        key = f"{name} {c.address if traffic.real_address(c.address) else ''} {c.port}"
        by = words.who(c.blame) if c.blame else ""
        # the box makes addresses up for names: they mean nothing outside
        at = "" if c.name and not traffic.real_address(c.address) else f"{harmless(c.address)} "
        where = f"  {at}port {c.port}/{c.protocol}  "
        lines.setdefault(key, Text.assemble((name, "bold"), where, (by, "dim")))
    return list(lines.values())


def _asked(report: Report) -> list[Text]:
    """HTTP requests, the registry's left out, the same ones counted."""
    lines = Counter(
        f"{harmless(r.method, 16)} {harmless(r.url, 200)}  ({r.body_bytes} bytes out, status {r.status})"
        for r in traffic.requests(report)
    )
    return [Text(line if n == 1 else f"{line}  {n} times") for line, n in lines.items()]


def _secrets(report: Report) -> list[Text]:
    """Which fakes were sent where, and which were read by whom."""
    kinds = {c.id: c.kind.replace("-", " ") for c in report.canaries.placed}
    sent: dict[str, dict[str, None]] = {}
    for hit in traffic.stolen(report):
        where = f"sent to {harmless(hit.destination)} by {words.who(hit.blame)}"
        sent.setdefault(where, {})[harmless(kinds.get(hit.canary, hit.canary))] = None
    read: dict[str, dict[str, None]] = {}
    for one in traffic.unlawful_reads(report):
        read.setdefault(f"read by {words.who(one.blame)}", {})[words.short(one.path)] = None
    lines = [Text(f"{', '.join(what)}: {where}", "bold red") for where, what in sent.items()]
    return lines + [Text(f"{', '.join(what)}: {who}") for who, what in read.items()]


def _section(title: str, lines: list[Text]) -> Iterator[RenderableType]:
    if not lines:
        return
    yield Text(title, "bold underline")
    shown = lines[:MAX_ROWS]
    if (more := len(lines) - MAX_ROWS) > 0:
        shown.append(Text(f"and {more} more, see --format json", "dim"))
    yield Padding(Group(*shown), (0, 0, 1, 4))


def _ecosystems(report: Report) -> str:
    return ", ".join(dict.fromkeys(target.ecosystem for target in report.targets or (report.target,)))


def _phases(phases: Sequence[PhaseCoverage]) -> list[Text]:
    """A line for each box: its ecosystem and world where there are several, and its phases."""
    worlds = {phase.world for phase in phases}
    lines: dict[str, list[str]] = {}
    for phase in phases:
        words = (phase.ecosystem, phase.world if len(worlds) > 1 else "")
        label = ", ".join(word for word in words if word)
        lines.setdefault(label, []).append(f"{phase.name} {phase.status} {phase.seconds:.1f} s")
    found = [f"{label}: {', '.join(said)}" if label else ", ".join(said) for label, said in lines.items()]
    return [Text(harmless(line)) for line in found or ["no phase was run"]]


def _coverage(report: Report) -> list[Text]:
    c = report.coverage
    lines = [
        *_phases(c.phases),
        Text(
            f"{c.packages_installed} of {c.packages_expected} packages installed, "
            f"{c.scripts_run} of {c.scripts_expected} lifecycle scripts run"
        ),
        Text(
            f"{c.events} events, {c.dropped} lost"
            + (f", {c.frozen_seconds:.2f} s frozen" if c.frozen_seconds else "")
        ),
    ]
    if (looked := words.depth(report)) is not None:
        lines.append(Text(looked, "dim"))
    lines += [Text(harmless(r, MAX_SENTENCE), "bold") for r in c.reasons]
    lines += [Text(harmless(n, MAX_SENTENCE), "dim") for n in c.notes]
    if lawful := sorted({words.short(r.path, 80) for r in traffic.lawful_reads(report)}):
        lines.append(Text(f"Fakes read by the programs that they are for: {', '.join(lawful)}", "dim"))
    if report.canaries.replaced:
        kept = ", ".join(harmless(p, 80) for p in report.canaries.replaced[:MAX_ROWS])
        lines.append(Text(f"Kept out of the box, fakes in their place: {kept}"))
    if report.cut:
        cut = ", ".join(f"{n} {harmless(what)}" for what, n in report.cut.items())
        lines.append(Text(f"Left out by limits: {cut}"))
    return lines


def _next(report: Report) -> Iterator[RenderableType]:
    steps = [Text(harmless(sentence)) for sentence in words.advice(report)]
    lines = steps[:MAX_STEPS]
    if words.counting(report):
        lines.append(Text("Every detail: --format json, or --format html for a page to pass on.", "dim"))
    elif report.baseline is None and report.verdict is Verdict.NO_FINDINGS:
        keep = "To see only what is new next time: --format json -o FILE now, --baseline FILE then."
        lines.append(Text(keep, "dim"))
    if not lines:
        return
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row("-", line)
    yield Text("What next", "bold underline")
    yield Padding(table, (0, 0, 0, 4))


def _parts(report: Report, explain: bool) -> Iterator[RenderableType]:
    yield _head(report)
    yield _about(report)
    yield Text("")
    yield from _section("Note", [Text(harmless(n)) for n in report.notices])
    if report.baseline is not None:
        title = f"New since the baseline of {words.baseline_day(report)}"
        yield from _section(title, [Text(line) for line in words.news(report)])
    findings = words.counting(report)
    yield from _findings(findings, explain)
    yield from _section("Further findings", [_brief(f) for f in findings[MAX_FULL:]])
    yield from _section("Waived, and not counted", [_waived(f) for f in report.findings if f.waived])
    told = [f for f in report.findings if f.severity == "info" and not f.waived]
    yield from _section("For information: honest packages do this too", [_told(f) for f in told])
    if explain:
        yield from _section("Why this verdict", [Text(harmless(line)) for line in report.explanation])
    yield from _section("Contacted", _contacts(report))
    yield from _section("Requests", _asked(report))
    yield from _section("Secrets (fakes, planted for this scan)", _secrets(report))
    yield from _section("Coverage", _coverage(report))
    yield from _next(report)


def _brief(finding: Finding) -> Text:
    times = f" ({finding.count} times)" if finding.count > 1 else ""
    who = f"  {words.who(finding.blame)}"
    return Text.assemble(words.short(finding.title, 120), (times, "dim"), (who, "dim"))


def _told(finding: Finding) -> Text:
    """What raises nothing, and what spoke in favour of whoever did it."""
    favour = next((line for line in finding.explain if line.startswith(_FAVOUR)), None)
    if favour is None:
        return _brief(finding)
    return Text.assemble(_brief(finding), (f"\n  {harmless(favour)}", "dim"))


def _waived(finding: Finding) -> Text:
    return Text.assemble(_brief(finding), f"\n  waived: {harmless(finding.waived or '')}")


@any_text
def render(report: Report, color: bool | None = None, width: int | None = None, explain: bool = False) -> str:
    """The report for a terminal; ``color`` and ``width`` (columns) as the terminal has when left out.

    ``explain`` adds to each finding what raised it and what would have lowered it.
    """
    console = _console(color, width)
    console.print(Group(*_parts(report, explain)))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
