"""Scripts that only become a program of the image, as yarn 1 writes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings import wrappers
from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import NetworkLog, Observation, Process
from tests.support import judge_samples as samples

NODE = "/usr/local/bin/node"
SCRIPT = "/tmp/yarn--1796029189298-0.28/node"
LINE = f"node {SCRIPT} build.js --all"
BECAME = Process(
    2, 1, 312, 9, "node", NODE, "node build.js --all", "/p", 101000, 5, None, 0, ("sh -c build", LINE)
)


def weight(
    process: Process = BECAME, line: str = LINE, shell: str = "/usr/bin/dash", *others: Process, cut: int = 0
) -> Class:
    observation = Observation(processes=(process, *others), cut={"processes": cut})
    fields = {"proc.cmdline": line, "proc.exepath": shell}
    signal = Signal(
        6, "dropped_executable", Class.SUSPICIOUS, SCRIPT, "it", samples.BLAME, 2, data={"fields": fields}
    )
    [found] = wrappers.soften([signal], Context(observation, NetworkLog(), RoundFacts(), None))
    return found.weight


def child(line: str) -> Process:
    return replace(BECAME, key=3, parent=2, pid=313, cmdline="id", execs=(line,))


@pytest.mark.parametrize(
    ("line", "became"),
    [
        (LINE, BECAME.cmdline),
        (f"yarn {SCRIPT} run x", "node /usr/local/bin/yarn run x"),  # yarn's second wrapper
        (f"sh {SCRIPT}", "node"),
        (f"python3 {SCRIPT} -m build", "python3.11 -m build"),  # a tool that chooses a version
    ],
)
def test_a_script_that_becomes_a_program_with_its_own_words_is_information(line: str, became: str) -> None:
    assert weight(replace(BECAME, cmdline=became, execs=(line,)), line) is Class.INFO


def test_what_the_program_starts_later_is_not_the_scripts() -> None:
    assert weight(BECAME, LINE, "/usr/bin/dash", child(BECAME.cmdline)) is Class.INFO


@pytest.mark.parametrize(
    "process",
    [
        replace(BECAME, exepath="/tmp/x/node"),  # what it became was brought along
        replace(BECAME, cmdline="node /tmp/evil.js build.js --all"),  # a word of its own
        replace(BECAME, cmdline="node --require=/tmp/e.js build.js --all"),
        replace(BECAME, cmdline="node /usr/../tmp/evil.js build.js --all"),
        replace(BECAME, cmdline="node build.js"),  # a word less
        replace(BECAME, cmdline=LINE, execs=("sh -c build",)),  # it became nothing
        replace(BECAME, execs=(LINE, "curl x")),  # something between
        replace(BECAME, execs=("x",) * 49 + (LINE,)),  # more than is on record
    ],
)
def test_a_script_that_does_anything_else_stays_suspicious(process: Process) -> None:
    assert weight(process) is Class.SUSPICIOUS


def test_nor_is_one_milder_that_started_something_or_of_which_too_little_is_known() -> None:
    assert weight(BECAME, LINE, "/usr/bin/dash", child(LINE)) is Class.SUSPICIOUS
    assert weight(BECAME, LINE, "/usr/bin/bash") is Class.SUSPICIOUS  # which can open connections
    assert weight(BECAME, LINE, SCRIPT) is Class.SUSPICIOUS  # a program, no script
    assert weight(replace(BECAME, execs=("node",)), "node") is Class.SUSPICIOUS  # no script
    assert weight(cut=1) is Class.SUSPICIOUS
    long = f"{LINE} {'x' * 2_000}"[:2_000]
    assert weight(replace(BECAME, execs=(long,)), long) is Class.SUSPICIOUS
