"""`make repeat`: what two scans must have in common, and how a difference is told."""

from __future__ import annotations

from typing import Any

from ci.repeat import differences, said


def report(verdict: str, *found: tuple[str, str | None]) -> dict[str, Any]:
    findings = [
        {"kind": kind, "proof": False, "blame": {"package": package, "confidence": "tree"}}
        for kind, package in found
    ]
    return {"status": "complete", "verdict": verdict, "findings": findings}


def test_order_and_number_do_not_count_but_verdict_kind_and_blame_do() -> None:
    once = said(report("malicious", ("download", "a"), ("persistence", "a")))
    again = said(report("malicious", ("persistence", "a"), ("download", "a"), ("download", "a")))
    assert once == again and differences([once, again]) == []
    other = said(report("suspicious", ("download", None), ("persistence", "a")))
    assert differences([once, again, other]) == [
        "download by a: 2 of 3",
        "download by nobody (tree): 1 of 3",
        "verdict malicious: 2 of 3",
        "verdict suspicious: 1 of 3",
    ]
