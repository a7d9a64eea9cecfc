"""What is new between two scans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.cli.diff import of_what_is_new
from package_hunter.findings.compare import changed_packages, compare
from package_hunter.model.scan import Package, Verdict
from tests.support import judge_samples as samples

OLD = samples.PACKAGE


@pytest.mark.parametrize(
    ("new", "changed"),
    [
        (OLD, False),
        (replace(OLD, purl="pkg:npm/maldep@1.0.1", version="1.0.1"), True),
        (replace(OLD, integrity="sha512-OTHER"), True),
        (replace(OLD, purl="pkg:npm/new@1.0.0"), True),
        (replace(OLD, chain=("elsewhere",)), False),
    ],
)
def test_changed_packages(new: Package, changed: bool) -> None:
    assert bool(changed_packages([OLD], [new])) is changed


def test_hosts_programs_and_files_of_an_update() -> None:
    old = samples.report(
        findings=(), network=type(samples.NETWORK)(), files=(), processes=samples.PROCESSES[:1]
    )
    found = compare(old, samples.report())
    assert found.new_hosts == ("collect.example", "paste.example")
    assert found.new_programs == ("/usr/bin/wget",)
    assert found.new_files == ("~/.bashrc",)
    assert of_what_is_new(found, samples.report()).verdict is Verdict.MALICIOUS
    back = compare(samples.report(), old)
    assert back.is_empty
    assert back.gone_hosts == found.new_hosts


def test_new_finding_that_is_waived_raises_nothing() -> None:
    new = samples.report(findings=(replace(samples.FINDING, waived="known"),))
    found = compare(samples.report(findings=()), new)
    assert of_what_is_new(found, new).verdict is Verdict.NO_FINDINGS
