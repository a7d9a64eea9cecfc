"""A made-up report with something in every part: what a server renders once, in each form, before it gives up
its rights. What a form loads with its first report would be out of reach later."""

from __future__ import annotations

from package_hunter.model.depth import DepthName
from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.observation import (
    Alert,
    Blame,
    Canary,
    CanaryHit,
    CanaryRead,
    Connection,
    DecoyMark,
    DnsRecord,
    FileChange,
    NetworkLog,
    OutsideFetch,
    Process,
    Request,
)
from package_hunter.model.report import Canaries, KeptFile, Report
from package_hunter.model.scan import (
    Coverage,
    Decision,
    Package,
    PhaseCoverage,
    ScanStatus,
    Target,
    Verdict,
)

_T0 = 1_700_000_000_000_000_000
_PURL, _PROJECT = "pkg:npm/sample@1.0.0", "/home/dev/projects/demo"
_BLAME = Blame(
    "install", _PURL, ("demo", "sample"), "preinstall", 7, "node ünïcode.js", "It ran there.", "certain"
)
_ALERT = Alert(
    _T0,
    "Sample rule",
    "Notice",
    "Notice Sample (command=node)",
    {"evt.time": _T0, "proc.cmdline": "node x.js", "fd.rport": 443, "proc.tty": None},
    ("kind:outbound_connection", "T1071.001"),
    "syscall",
    1,
    "connect",
    7,
    7,
    _BLAME,
)
_HIT = CanaryHit(_T0, "token", ("base64",), "http-body", "collect.example:443", 41000, False, _BLAME)
_NETWORK = NetworkLog(
    dns=(DnsRecord(_T0, "collect.example", "A", "198.18.1.7", 40000, _BLAME),),
    connections=(
        Connection(
            _T0,
            "tcp",
            "198.18.1.7",
            443,
            41000,
            "collect.example",
            "collect.example",
            1,
            2,
            "http",
            _BLAME,
        ),
    ),
    requests=(
        Request(
            _T0,
            "POST",
            "https://collect.example/in",
            (("A", "b"),),
            b"\xff\x00raw",
            5,
            200,
            41000,
            False,
            _BLAME,
        ),
        Request(_T0, "GET", "https://collect.example/", (), b"text", 4, 404, 41001, False, _BLAME),
    ),
    hits=(_HIT,),
    marks=(DecoyMark(_T0, "mining", "A miner spoke.", "pool.example:3333", 41002, _BLAME),),
    fetched=(OutsideFetch(_T0, "https://files.example/x", 200, 1, "00" * 32, "", 41003),),
)
_PROCESSES = (
    Process(1, None, 70, 7, "node", "/usr/bin/node", "node ünïcode.js", _PROJECT, 101000, _T0, _T0 + 9, 0),
    Process(2, 1, 71, 8, "sh", "/bin/sh", "sh -c x", _PROJECT, 101000, _T0 + 1, None, 1, ("sh -c x",)),
)


def _finding(kind: str, severity: str, waived: str | None = None) -> Finding:
    data = {"channel": "http-body", "rule": "Sample rule", "chain": [{"pid": 7, "cmdline": "node x.js"}]}
    return Finding(
        f"{kind:0<32}"[:32],
        kind,
        severity,
        f"Sample of {kind}",
        _BLAME,
        (Evidence(_T0, "It was seen.", data),),
        ("T1041",),
        2,
        kind == "exfiltration",
        waived,
        ("A reason.",),
        ("Do something.",),
    )


def sample() -> Report:
    """The report; no value of it is anybody's."""
    return Report(
        id="00000000-0000-4000-8000-000000000000",
        target=Target("demo", "npm", None, "ab" * 32),
        started=_T0,
        finished=_T0 + 9,
        status=ScanStatus.FINISHED,
        verdict=Verdict.MALICIOUS,
        decision=Decision.BLOCK,
        coverage=Coverage(
            events=9,
            phases=(PhaseCoverage("install", "default", "ok", 0, 1.5),),
            packages_expected=1,
            packages_installed=1,
            reasons=("Something was not seen.",),
            notes=("A note.",),
        ),
        packages=(
            Package(
                _PURL,
                "sample",
                "1.0.0",
                f"{_PROJECT}/node_modules/sample",
                "sha512-AAAA",
                ("demo", "sample"),
                True,
            ),
        ),
        alerts=(_ALERT,),
        findings=(
            _finding("exfiltration", "critical"),
            _finding("outbound_connection", "medium", waived="Known."),
            _finding("persistence", "info"),
        ),
        network=_NETWORK,
        canaries=Canaries(
            (Canary("token", "npm token", "/home/dev/.npmrc", "value"),),
            (CanaryRead(_T0, "token", "/home/dev/.npmrc", 1, _BLAME),),
            (_HIT,),
            (".npmrc",),
        ),
        processes=_PROCESSES,
        files=(FileChange("/home/dev/.bashrc", "written", 1, _T0),),
        explanation=("A secret was stolen.",),
        notices=("A waiver ended.",),
        hostname="host.example",
        depth=DepthName.QUICK,
        kept=(KeptFile("recording", "cd" * 32, 9, "sample.scap"),),
    )
