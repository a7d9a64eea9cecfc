"""What still ran at the end: told by its command line, and lowered by bytes and starter only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.catalog import daemons
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame, NetworkLog, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Coverage, Leftovers, LeftRunning, Verdict, Wait
from package_hunter.policy import verdict
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0, judge

END = T0 + 20 * SECOND
NPM, NODE = samples.PROCESSES[0], samples.PROCESSES[1]
GIT = "/usr/bin/git"
DAEMON = replace(
    NODE, key=20, parent=2, pid=900, vpid=80, name="node", cmdline="node wait.js", ended_ns=END, exit_code=-9
)
STARTER = replace(NODE, key=21, parent=2, pid=901, vpid=81, name="git", exepath=GIT, cmdline="git gc")
RUN = CommandRun(
    "install",
    "default",
    Command(("npm",), "/", blame_purl=samples.BLAME.package, script="postinstall"),
    NPM.pid,
    T0,
    T0 + 2 * SECOND,
    0,
)


def left(program: str = "/usr/local/bin/node", of_image: bool = True, **changes: object) -> LeftRunning:
    seen = LeftRunning(DAEMON.pid, END - SECOND, "node wait.js", program, of_image)
    return replace(seen, **changes)  # type: ignore[arg-type]


TIMER = Wait("timer", 600.0, 599.9, "epoll_pwait")


def judged(leftovers: Leftovers, *processes: Process, runs: tuple[CommandRun, ...] = (RUN,)) -> list[Finding]:
    def blamer(key: int, time_ns: int) -> Blame:
        return samples.BLAME

    seen = Observation(processes=(NPM, NODE, STARTER, *processes))
    found = judge(seen, NetworkLog(), blamer=blamer, runs=runs, left=leftovers)
    return [finding for finding in found if finding.kind == "left_running"]


def test_what_is_left_is_told_with_its_command_line_and_its_package() -> None:
    (found,) = judged(Leftovers((left(),), END - SECOND), DAEMON)
    assert found.title == "It left processes running: node wait.js"
    assert (found.blame, found.severity, found.proof, found.count) == (samples.BLAME, "medium", False, 1)
    assert found.evidence[0].data["cmdline"] == "node wait.js"
    assert verdict([found], Coverage()) is Verdict.SUSPICIOUS


def test_nothing_left_is_nothing_told() -> None:
    ended = replace(DAEMON, exit_code=0)
    killed_by_another = replace(DAEMON, key=22, ended_ns=T0 + SECOND)
    assert judged(Leftovers((), END - SECOND), ended, killed_by_another) == []
    assert judged(Leftovers(), DAEMON) == []


def test_one_that_is_too_quick_to_be_looked_at_is_told_by_the_record() -> None:
    (found,) = judged(Leftovers((), END - SECOND), DAEMON)
    assert found.blame == samples.BLAME
    init = replace(DAEMON, vpid=1)
    assert judged(Leftovers((), END - SECOND), init) == []


def test_one_that_no_record_knows_is_told_all_the_same() -> None:
    (found,) = judged(Leftovers((left(pid=77_777),)))
    assert found.blame is None and "node wait.js" in found.title


def test_a_command_at_its_deadline_is_no_leftover_but_what_earlier_ones_left_is() -> None:
    late = replace(RUN, started_ns=T0, ended_ns=END)
    assert judged(Leftovers((left(),)), DAEMON, runs=(late,)) == []
    other = replace(RUN, pid=STARTER.pid, started_ns=T0 + 3 * SECOND, ended_ns=END)
    assert judged(Leftovers((left(),)), DAEMON, runs=(RUN, other))


@pytest.mark.parametrize(
    ("program", "of_image", "parent", "lowered"),
    [
        (GIT, True, STARTER.key, True),
        (GIT, True, NODE.key, False),  # the package itself started it
        (GIT, False, STARTER.key, False),  # at that place, but not the image's bytes
        ("/tmp/git", False, STARTER.key, False),
        ("/usr/local/bin/node", True, STARTER.key, False),  # an interpreter's bytes say nothing
    ],
)
def test_a_helper_is_known_by_bytes_and_starter(
    program: str, of_image: bool, parent: int, lowered: bool
) -> None:
    process = replace(DAEMON, parent=parent, cmdline="git maintenance run --detach", name="git")
    seen = left(program, of_image, cmdline="git maintenance run --detach")
    (found,) = judged(Leftovers((seen,), END - SECOND), process)
    assert (found.severity == "info") is lowered
    assert any("In its favour" in line for line in found.explain) is lowered


def test_a_title_lowers_nothing_and_is_told() -> None:
    (found,) = judged(Leftovers((left(cmdline="/usr/bin/git gc --auto"),), END - SECOND), DAEMON)
    assert found.severity == "medium"
    assert "called itself /usr/bin/git gc --auto" in found.evidence[0].what
    (same,) = judged(Leftovers((left(cmdline="/usr/local/bin/node wait.js"),), END - SECOND), DAEMON)
    assert "called itself" not in same.evidence[0].what


def test_no_interpreter_is_among_the_helpers() -> None:
    programs = {path.rpartition("/")[2] for daemon in daemons().values() for path in daemon.programs}
    interpreters = {
        "sh",
        "bash",
        "dash",
        "node",
        "python3",
        "ruby",
        "perl",
        "sleep",
        "env",
        "xargs",
        "timeout",
    }
    assert not programs & interpreters


def test_long_chains_and_circles_of_parents_end() -> None:
    chain = tuple(
        replace(DAEMON, key=100 + n, parent=99 + n, pid=5_000 + n, ended_ns=T0) for n in range(20_000)
    )
    last = replace(chain[-1], ended_ns=END)
    circle = replace(chain[0], parent=last.key)
    seen = left(pid=last.pid)
    assert len(judged(Leftovers((seen,)), *chain[:-1], last)) == 1
    assert len(judged(Leftovers((seen,)), circle, *chain[1:-1], last)) == 1


def test_what_it_waits_for_is_told_in_words_and_data() -> None:
    lock = Wait("lock", None, float("inf"), "futex")
    (found,) = judged(Leftovers((left(waits=(lock, TIMER)),), END - SECOND), DAEMON)
    assert "node (pid 80)" in found.evidence[0].what
    assert "was left waiting for a timer of 10 min" in found.evidence[0].what
    assert found.evidence[0].data["waits"][0] == {"for": "timer", "seconds": 600.0, "call": "epoll_pwait"}


def test_a_shell_is_told_by_what_its_child_waits_for() -> None:
    shell = replace(DAEMON, name="sh", cmdline="sh -c sleep")
    child = replace(DAEMON, key=30, parent=DAEMON.key, pid=950, vpid=95, name="sleep", cmdline="sleep 600")
    waits = Wait("child", None, float("inf"), "wait4")
    both = (left(waits=(waits,)), left(pid=950, cmdline="sleep 600", waits=(TIMER,)))
    (found,) = judged(Leftovers(both, END - SECOND), shell, child)
    assert "was left waiting for sleep, which was waiting for a timer of 10 min" in found.evidence[0].what
