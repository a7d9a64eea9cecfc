"""The sentences that several report formats share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packageurl import PackageURL

from package_hunter.model.depth import DEPTHS, further
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame
from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.model.shown import shown
from package_hunter.report.harmless import harmless

NOT_CLEARED = "A run can confirm malice; it can never clear a package."
UNKNOWN = "not known which package"
_HOME = re.compile(r"(?<![\w/])/home/dev/")
_PROJECT = re.compile(r"(?<![\w/])/home/dev/projects/[^/\s]+/")
_MARK = re.compile(r"curl -fsS (-m \d+ )?http://c\d+\.[0-9a-f]{8,}\.example/")
_LIFECYCLE = re.compile(r"node /usr/share/(\w+)/lifecycle\.js \w+ \w+ (\S+) (\S+)")
_WHEN = {
    "import": "on import",
    "startup": "when the interpreter or package manager starts",
    "exercise": "when its functions are called",
}
_CONFIDENCE = {
    "certain": "certain",
    "likely": "likely",
    "tree": "somewhere in the dependency tree",
}


def parse_purl(purl: str | None) -> PackageURL | None:
    """The parts of a purl, None where it is none (it may come from a box)."""
    try:
        return PackageURL.from_string(clean(purl or ""))
    except ValueError:
        return None


def package_name(purl: str | None) -> str:
    """``pkg:npm/%40a/b@1.0.0`` -> ``@a/b 1.0.0``."""
    if not purl:
        return ""
    parts = parse_purl(purl)
    if parts is None:
        return harmless(purl)
    name = f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name
    return harmless(f"{name} {parts.version}" if parts.version else name)


def short(text: object, limit: int = 2000) -> str:
    """Text from a box, harmless, with the box's own folders as a person writes them: ``~/.npmrc``."""
    return _HOME.sub("~/", _PROJECT.sub("./", harmless(text, limit)))


def who(blame: Blame | None) -> str:
    """Who did it, in a phrase: the project's own scripts are told apart from its dependencies'."""
    if blame is not None and blame.phase == "fetch" and not blame.package:
        return "the package manager, fetching"
    if blame is None or (blame.confidence == "tree" and not blame.package):
        return UNKNOWN
    name = package_name(blame.package) or "the project's own"
    if blame.phase in _WHEN:
        return f"{name if blame.package else 'a package of the tree'}, {_WHEN[blame.phase]}"
    if not blame.script:
        return name if blame.package else "the project itself"
    owner = f"{name}," if blame.package else name
    return f"{owner} {harmless(blame.script)} {'script' if blame.phase == 'install' else 'step'}"


def sureness(blame: Blame | None) -> str:
    """How sure the blame is, in words; empty where nobody is blamed."""
    if blame is None or (blame.confidence == "tree" and not blame.package):
        return ""
    return _CONFIDENCE.get(blame.confidence, blame.confidence)


def tree_path(blame: Blame | None) -> str:
    """The way from the root of the dependency tree: ``app > a > b``."""
    return " > ".join(harmless(step, 80) for step in blame.path) if blame else ""


def counting(report: Report) -> list[Finding]:
    """Findings that raise the verdict."""
    return [f for f in report.findings if f.waived is None and f.severity != "info"]


def as_shown(findings: Iterable[Finding]) -> list[Finding]:
    """Findings as people read them: those of one act as one."""
    return [one.finding for one in shown(findings)]


def marks(report: Report) -> Mapping[str, list[str]]:
    """Fingerprint of a finding as it is shown -> by what it is waived: the same, or one for each host or file."""
    return {
        one.finding.fingerprint: [
            f"{m.fingerprint} for {short(', '.join(m.subjects), 120)}"
            if len(one.members) > 1
            else m.fingerprint
            for m in one.members
        ]
        for one in shown(report.findings)
    }


def verdict_sentence(report: Report) -> str:
    """What a reader must know, in one sentence."""
    if report.status is ScanStatus.FAILED:
        return f"The scan failed: {harmless(report.error or 'no reason was noted')}"
    findings = as_shown(counting(report))
    packages = len(report.packages)
    seen = f"{packages} package{'' if packages == 1 else 's'}" if packages else "what was run"
    if report.verdict is Verdict.INCONCLUSIVE:
        reason = report.coverage.reasons[0] if report.coverage.reasons else "events were lost"
        also = f" {len(findings)} finding(s) need a look all the same." if findings else ""
        return f"Not everything was seen: {harmless(reason)}{also}"
    if report.verdict is Verdict.NO_FINDINGS:
        waived = sum(f.waived is not None for f in report.findings)
        beside = f" beside {waived} waived finding{'' if waived == 1 else 's'}" if waived else ""
        return f"Nothing was found in {seen}{beside}. {NOT_CLEARED}"
    first = findings[0] if findings else None
    if first is None:
        return "The verdict rests on findings that are not part of this report."
    others = len(findings) - 1
    more = f"; and {others} more finding{'' if others == 1 else 's'}" if others else ""
    title = short(first.title)
    return f"{_doer(first.blame)}: {title[:1].lower()}{title[1:]}{more}"


def _doer(blame: Blame | None) -> str:
    if blame is None or (blame.confidence == "tree" and not blame.package):
        return "Something in the dependency tree"
    return package_name(blame.package) or "The project itself"


def rules_of(finding: Finding) -> list[str]:
    """The rules behind a finding, with their priorities: ``Some rule (NOTICE)``."""
    named = {
        f"{harmless(e.data['rule'])} ({harmless(e.data.get('priority', '')).upper()})": None
        for e in finding.evidence
        if "rule" in e.data
    }
    return list(named)


def chain_of(finding: Finding) -> list[str]:
    """Command lines from the first process to the one that did it, the longest that the evidence has."""
    named = chain_data(finding)
    own = [p for p in named if p.get("cmdline") != "init" and p.get("name") != "init"]
    return [command(p) for p in own or named]


def command(process: Mapping[str, Any]) -> str:
    """A command line; our own spawn that lets npm run one script is called what it stands for."""
    line = str(process.get("cmdline") or process.get("name") or "?")
    return spoken(line) or short(line, 160)


def spoken(line: str) -> str | None:
    """What a command line of ours stands for; None where it is none."""
    if _MARK.fullmatch(line):
        return "(the mark of our decoy: what was downloaded has run)"
    hit = _LIFECYCLE.match(line)
    if hit is None:
        return None
    owner = "the project" if hit[3] == "." else harmless(hit[3], 80)
    return f"npm, for the {harmless(hit[2], 80)} script of {owner}"


def chain_data(finding: Finding) -> list[Mapping[str, Any]]:
    """The longest chain of processes that the evidence has, from the first to the one that did it."""
    chains = [e.data["chain"] for e in finding.evidence if isinstance(e.data.get("chain"), list | tuple)]
    best: list[Any] = max(chains, key=len, default=[])
    return [p for p in best if isinstance(p, Mapping)]


def advice(report: Report) -> Iterator[str]:
    """What to do next, each sentence once: rotate, find, what the findings ask for, pin, report."""
    findings = counting(report)
    proven = [f for f in findings if f.proof]
    # where there is proof, the questions that lesser findings raise are answered
    said = list(dict.fromkeys(sentence for f in proven or findings for sentence in f.advice))
    yield from _rotate(report)
    for name in _blamed(findings):
        yield f"Who else has it: look for {name} in your other projects' lock files."
    yield from said
    for name in _blamed(proven):
        if not any("pin the last" in sentence for sentence in said):
            yield f"Do not install {name}; pin the last version that you trust."
        if not any("eport" in sentence and "registry" in sentence for sentence in said):
            yield f"Report {name} to its registry."
    if any(_blamed(proven)):
        yield "--format osv writes the record that OpenSSF's malicious-packages takes."
    if report.verdict is Verdict.INCONCLUSIVE:
        yield "Mend what kept the scan from seeing everything (see coverage), and scan again."


def _blamed(findings: list[Finding]) -> list[str]:
    """Names and versions of the packages that findings blame."""
    found = dict.fromkeys(f.blame.package for f in findings if f.blame and f.blame.package)
    return [package_name(purl) for purl in found]


def _rotate(report: Report) -> Iterator[str]:
    kinds = {c.id: c.kind for c in report.canaries.placed}
    sent = (h for h in report.canaries.sent if not h.lawful)
    stolen = sorted({kinds.get(h.canary, h.canary).replace("-", " ") for h in sent})
    if stolen:
        yield f"Rotate secrets of these kinds: {', '.join(harmless(s) for s in stolen)}."


def depth(report: Report) -> str | None:
    """How far the scan looked, and what would have looked further; None where that is not known."""
    if report.depth is None:
        return None
    more = "; ".join(f"--depth {one.name} would also {one.says}" for one in further(DEPTHS[report.depth]))
    return f"Depth {report.depth}{f': {more}' if more else ''}."


def news(report: Report) -> Iterator[str]:
    """What is new against the baseline, a line each; a sentence where nothing is."""
    new = report.baseline or {}
    titles = {f.fingerprint: f.title for f in report.findings}
    found = [f"finding: {harmless(titles.get(str(f), f))}" for f in new.get("new_findings", ())]
    for key, noun in (("new_hosts", "host"), ("new_programs", "program"), ("new_files", "file")):
        found += [f"{noun} {harmless(value)}" for value in new.get(key, ())]
    for package in new.get("changed_packages", ()):
        name = package_name(package.get("package"))
        old, now = package.get("old") or "not there", package.get("new") or "gone"
        found.append(f"package {name}: {harmless(old)} -> {harmless(now)}")
    yield from found or ["No new behaviour was seen. That is no proof that there is none."]


def baseline_day(report: Report) -> str:
    """The day of the baseline, empty without one."""
    return harmless((report.baseline or {}).get("finished", ""))[:10]


def seconds(report: Report) -> float:
    """Wall time of the scan."""
    return max(0.0, (report.finished - report.started) / 1e9)
