"""What start-up files of several packages did in one start is told of the one that does the same alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.shared_starts import joined
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Blame, NetworkLog, Observation, Process

NOBODY = Blame("install", None, (), "startup", 7, "python -c …", "It was only asked.", "tree")
A = Blame("startup", "pkg:pypi/a@1", ("app", "a"), "a.pth", 8, "python -c …", "", "certain")
B = replace(A, package="pkg:pypi/b@1", script="b.pth")


PYTHON = "/usr/bin/python3.11"
C = Blame("install", "pkg:pypi/c@1", ("app", "c"), "build", 9, "python -c …", "", "certain")
READ, SENT = ("credential_access", "/home/dev/.npmrc"), ("exfiltration", "x.example")


def process(key: int, parent: int | None, cmdline: str, exepath: str = PYTHON) -> Process:
    return Process(key, parent, key, key, "x", exepath, cmdline, "/", 101000, 1, None, None)


def signal(kind: str, subject: str, blame: Blame | None, key: int | None = None) -> Signal:
    return Signal(1, kind, Class.SUSPICIOUS, subject, "", blame, key)


def owners(*signals: Signal, processes: tuple[Process, ...] = ()) -> list[str | None]:
    context = Context(Observation(processes=processes), NetworkLog(), RoundFacts(), None)
    return [one.blame.package if one.blame else None for one in joined(signals, context)]


def in_a_build(cmdline: str, *acts: tuple[str, str], exepath: str = PYTHON) -> list[str | None]:
    """Who is blamed for what was done below a process of c's build, where a's start-up file alone reads and sends."""
    shell = process(1, None, "sh build.sh", "/bin/dash")
    below = (process(2, 1, cmdline, exepath), process(3, 2, "curl x.example", "/usr/bin/curl"))
    alone = (signal(*READ, A), signal(*SENT, A))
    found = owners(*(signal(*act, C, 3) for act in acts), *alone, processes=(shell, *below))
    return found[: len(acts)]


@pytest.mark.parametrize(
    "line", ["python setup.py bdist_wheel", "/p/.venv/bin/python -I -c pass", "python3.11"]
)
def test_what_it_does_in_anothers_build_is_its_own(line: str) -> None:
    assert in_a_build(line, READ, SENT) == [A.package] * 2


def test_what_the_build_does_besides_stays_the_builds() -> None:
    assert in_a_build("python setup.py", READ, ("download", "y.example"), SENT) == [
        A.package,
        C.package,
        A.package,
    ]


def test_one_habit_in_common_is_no_sign_that_it_ran() -> None:
    """Else a package that reads secrets would only have to depend on one that does, too."""
    assert in_a_build("python setup.py", READ, ("exfiltration", "y.example")) == [C.package] * 2


@pytest.mark.parametrize(
    ("line", "program"),
    [("python -S setup.py", PYTHON), ("python -IS -c pass", PYTHON), ("node index.js", "/usr/bin/node")],
)
def test_where_no_start_up_file_runs_none_did_it(line: str, program: str) -> None:
    assert in_a_build(line, READ, SENT, exepath=program) == [C.package] * 2


def test_another_with_the_same_start_up_file_is_not_excused() -> None:
    build = signal(*READ, replace(B, script="build"), 2)
    alone = (signal(*READ, A), signal(*READ, B))
    assert owners(build, *alone, processes=(process(2, None, "python setup.py"),))[0] == B.package


def test_the_same_act_alone_says_whose_it_was() -> None:
    shared, alone = signal("persistence", "/x", NOBODY), signal("persistence", "/x", A)
    assert owners(shared, alone, signal("persistence", "/y", B)) == [A.package, A.package, B.package]


def test_honest_start_up_files_are_not_accused_of_what_they_do_not_show() -> None:
    """setuptools', coverage's and an editable install's were started alone, and did nothing of that form."""
    theft = signal("credential_access", "/home/dev/.npmrc", NOBODY)
    assert owners(theft, signal("persistence", "/home/dev/.npmrc", A), signal("persistence", "/y", B)) == [
        None,
        A.package,
        B.package,
    ]


def test_acts_of_two_packages_are_parted() -> None:
    read, sent = (
        signal("credential_access", "/home/dev/.npmrc", NOBODY),
        signal("exfiltration", "x.example", NOBODY),
    )
    alone = (
        signal("credential_access", "/home/dev/.npmrc", A),
        signal("exfiltration", "x.example", B),
    )
    assert owners(read, sent, *alone)[:2] == [A.package, B.package]


def test_a_likely_owner_and_other_nobodys_stay() -> None:
    shared, elsewhere = signal("persistence", "/x", NOBODY), signal("persistence", "/x", None)
    tree = signal("persistence", "/x", replace(NOBODY, script="pip install"))
    assert owners(shared, elsewhere, tree, signal("persistence", "/x", replace(A, confidence="likely"))) == [
        None,
        None,
        None,
        A.package,
    ]
