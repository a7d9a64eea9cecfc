"""What our own phases and the package managers start is not listed as a project's doing; everything else is."""

from __future__ import annotations

import dataclasses

import pytest

from package_hunter.model.observation import Alert, Blame, FileChange, NetworkLog, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Package
from tests.support.judge_samples import SECOND, T0, judge

INIT = "systemd -I -S -B -c import _socket"
PIP = "python -m pip install ."
RUNNER = "python /usr/lib/python3/dist-packages/pip/__pip-runner__.py install x"
HOOK = (
    "python /usr/lib/python3/dist-packages/pip/_vendor/pyproject_hooks/_in_process/_in_process.py build_wheel"
)
CALLER = "python -c \nexec(compile('''\n# This is <pip-setuptools-caller> -- a caller"
UNBUFFERED = CALLER.replace("python", "python -u", 1)
DRIVER = "node /usr/share/npm/lifecycle.js npm install postinstall node_modules/a"
PYTHON, NODE, SHELL = "/usr/bin/python3.11", "/usr/local/bin/node", "/usr/bin/dash"
INSTALL = Command(tuple(PIP.replace("python", ".venv/bin/python").split()), "/", script="pip install")
LIFECYCLE = Command(
    ("/usr/local/bin/node", *DRIVER.split()[1:]),
    "/",
    blame_purl="pkg:npm/a@1",
    script="postinstall",
    essential=False,
)
IMPORT = Command(
    ("python", "-c", "import idna"), "/", blame_purl="pkg:pypi/idna@1", script="import", essential=False
)


def process(key: int, parent: int | None, exepath: str, *lines: str) -> Process:
    """Its own lines in order; the first stands behind what it had of its parent."""
    earlier = (INIT, *lines[:-1])
    return Process(
        key, parent, 100 + key, key, "x", exepath, lines[-1], "/", 1000, T0 + key, None, 0, earlier
    )


def listed(command: Command, alerted: int, line: str, *processes: Process) -> bool:
    """Whether a start of a program, by a process below the command's first one, is told."""
    run = CommandRun("install", "default", command, 101, T0, T0 + 10 * SECOND, 0)
    alert = Alert(
        time_ns=T0 + SECOND,
        rule="Shell or interpreter started by a script",
        priority="Debug",
        output="",
        output_fields={"proc.cmdline": line, "proc.name": line.split()[0]},
        tags=("kind:shell_spawned", "info"),
        source="syscall",
        event_num=1,
        event_type="execve",
        pid=100 + alerted,
        tid=100 + alerted,
        blame=None,
    )
    found = judge(Observation(alerts=(alert,), processes=processes), NetworkLog(), runs=[run])
    return any(finding.kind == "shell_spawned" for finding in found)


UV = "uv pip install --python .venv/bin/python ."
UV_DRIVER = "python3 -I /usr/share/python3/resolve.py --build /usr/local/bin/uv .venv/bin/python ."
UV_BUILD = Command(
    ("/usr/bin/python3", *UV_DRIVER.split()[1:]),
    "/",
    blame_purl="pkg:pypi/own@1",
    script="build",
    essential=False,
)
UV_ASKS = "python -I -B -c import sys; sys.path = [x] + sys.path; from python.get_interpreter_info import main; main()"
UV_HOOK = 'python -c import sys\n\nif sys.path[0] == "":\n    sys.path.pop(0)\n\nsys.path = [] + sys.path\n'
PIP_ITSELF = process(1, None, PYTHON, PIP)
NPM_ITSELF = process(1, None, NODE, DRIVER)
LOADER = process(1, None, PYTHON, "python -c import idna")


@pytest.mark.parametrize(
    ("command", "alerted", "line", "processes"),
    [
        (INSTALL, 1, PIP, [PIP_ITSELF]),
        (IMPORT, 1, "python -c import idna", [LOADER]),
        (LIFECYCLE, 2, "sh -c node x.js", [NPM_ITSELF, process(2, 1, SHELL, "sh -c node x.js")]),
        (LIFECYCLE, 2, "sh -c husky", [NPM_ITSELF, process(2, 1, NODE, "sh -c husky", "node husky")]),
        (INSTALL, 2, RUNNER, [PIP_ITSELF, process(2, 1, PYTHON, RUNNER)]),
        (
            UV_BUILD,
            3,
            UV_ASKS,
            [
                process(1, None, PYTHON, UV_DRIVER),
                process(2, 1, "/usr/local/bin/uv", UV),
                process(3, 2, PYTHON, UV_ASKS),
            ],
        ),
        (
            UV_BUILD,
            3,
            UV_HOOK,
            [
                process(1, None, PYTHON, UV_DRIVER),
                process(2, 1, "/usr/local/bin/uv", UV),
                process(3, 2, PYTHON, UV_HOOK),
            ],
        ),
        (INSTALL, 2, CALLER, [PIP_ITSELF, process(2, 1, PYTHON, CALLER)]),
        (INSTALL, 3, HOOK, [PIP_ITSELF, process(2, 1, PYTHON, RUNNER), process(3, 2, PYTHON, HOOK)]),
        (INSTALL, 2, UNBUFFERED, [PIP_ITSELF, process(2, 1, PYTHON, UNBUFFERED)]),
    ],
    ids=[
        "pip",
        "import",
        "npm's shell",
        "npm's shell that became node",
        "pip's pip",
        "uv's question",
        "uv's build",
        "setup.py",
        "build in pip's pip",
        "setup.py install",
    ],
)
def test_our_own_and_the_managers_starts_are_not_listed(
    command: Command, alerted: int, line: str, processes: list[Process]
) -> None:
    assert not listed(command, alerted, line, *processes)


@pytest.mark.parametrize(
    ("command", "alerted", "line", "processes"),
    [
        # a package's own process takes the form of a manager's
        (INSTALL, 3, HOOK, [PIP_ITSELF, process(2, 1, PYTHON, HOOK), process(3, 2, PYTHON, HOOK)]),
        (
            LIFECYCLE,
            3,
            "sh -c x",
            [NPM_ITSELF, process(2, 1, SHELL, "sh -c y"), process(3, 2, SHELL, "sh -c x")],
        ),
        # what npm's shell becomes is the package's
        (LIFECYCLE, 2, "sh -c x", [NPM_ITSELF, process(2, 1, SHELL, "sh -c y", "sh -c x")]),
        # an import starts a shell, itself or below
        (IMPORT, 2, "sh -c id", [LOADER, process(2, 1, SHELL, "sh -c id")]),
        (
            IMPORT,
            1,
            "sh evil -c import idna",
            [process(1, None, SHELL, "python -c import idna", "sh evil -c import idna")],
        ),
        # the manager's form, in a place that a package can write
        (
            INSTALL,
            2,
            "python /home/dev/_in_process/_in_process.py x",
            [PIP_ITSELF, process(2, 1, PYTHON, "python /home/dev/_in_process/_in_process.py x")],
        ),
        (INSTALL, 2, HOOK, [PIP_ITSELF, process(2, 1, "/home/dev/python", HOOK)]),
        # pip started something that pip does not start
        (INSTALL, 2, "sh -c curl", [PIP_ITSELF, process(2, 1, "/tmp/sh", "sh -c curl")]),
        # a process that was pip's copy and is another program now
        (
            INSTALL,
            3,
            HOOK,
            [PIP_ITSELF, process(2, 1, PYTHON, RUNNER, "python evil.py"), process(3, 2, PYTHON, HOOK)],
        ),
        # no process on record
        (INSTALL, 9, HOOK, [PIP_ITSELF]),
    ],
)
def test_what_packages_start_is_listed(
    command: Command, alerted: int, line: str, processes: list[Process]
) -> None:
    assert listed(command, alerted, line, *processes)


def test_a_circle_of_parents_ends() -> None:
    circle = [dataclasses.replace(process(2, 3, PYTHON, HOOK)), process(3, 2, PYTHON, RUNNER)]
    assert listed(INSTALL, 2, HOOK, PIP_ITSELF, *circle)


OTHER = Package("pkg:pypi/click@8", "click", "8", "/v/site-packages/click")


@pytest.mark.parametrize(
    ("processes", "tampering"),
    [
        ([process(1, None, PYTHON, UV_DRIVER), process(2, 1, "/usr/local/bin/uv", UV)], False),
        ([process(1, None, PYTHON, UV_DRIVER), process(2, 1, "/v/bin/uv", UV)], True),
        ([process(1, None, PYTHON, UV_DRIVER), process(2, 1, PYTHON, "python setup.py")], True),
        (
            [
                process(1, None, PYTHON, UV_DRIVER),
                process(3, 1, PYTHON, "python setup.py"),
                process(2, 3, "/usr/local/bin/uv", UV),
            ],
            True,
        ),
    ],
    ids=["uv itself", "another uv", "a build", "uv that a build started"],
)
def test_a_manager_that_installs_tampers_with_nothing(processes: list[Process], tampering: bool) -> None:
    run = CommandRun("install", "default", UV_BUILD, 101, T0, T0 + 10 * SECOND, 0)
    change = FileChange(f"{OTHER.path}/__init__.py", "written", 2, T0 + SECOND)
    blame = Blame("install", "pkg:pypi/own@1", (), "build", 102, UV, "", "certain")
    seen = Observation(processes=tuple(processes), files=(change,))
    found = judge(seen, NetworkLog(), packages=(OTHER,), runs=[run], blamer=lambda *_: blame)
    assert any(finding.kind == "package_tampering" for finding in found) is tampering


MORNING_LINE = "python3 -I -S /usr/bin/session.py commit /home/dev/projects/app/.git/hooks/pre-commit"
MORNING = Command(("/usr/bin/python3", *MORNING_LINE.split()[1:]), "/", script="a commit", essential=False)
COMMIT = "git commit --allow-empty -q -m Tidy up"
GIT, SESSION = "/usr/bin/git", process(1, None, PYTHON, MORNING_LINE)


def changed_repository(phase: str, line: str, *processes: Process) -> bool:
    """Whether the last process's git is told as the package's."""
    run = CommandRun(phase, "default", MORNING, 101, T0, T0 + 10 * SECOND, 0)
    who = processes[-1]
    alert = Alert(
        time_ns=T0 + SECOND,
        rule="Repository changed from a script",
        priority="Error",
        output="",
        output_fields={"proc.cmdline": line, "proc.name": line.split()[0]},
        tags=("kind:repository_change", "suspicious"),
        source="syscall",
        event_num=1,
        event_type="execve",
        pid=who.pid,
        tid=who.pid,
        blame=Blame(phase, "pkg:npm/a@1", (), "postinstall", who.pid, line, "", "certain"),
    )
    found = judge(Observation(alerts=(alert,), processes=processes), NetworkLog(), runs=[run])
    return any(finding.kind == "repository_change" for finding in found)


def test_the_commit_of_the_next_morning_is_ours() -> None:
    assert not changed_repository("morning", COMMIT, SESSION, process(2, 1, GIT, COMMIT))


@pytest.mark.parametrize(
    ("phase", "line", "processes"),
    [
        ("install", COMMIT, [SESSION, process(2, 1, GIT, COMMIT)]),
        ("morning", "git push origin", [SESSION, process(2, 1, GIT, "git push origin")]),
        ("morning", COMMIT, [SESSION, process(2, 1, SHELL, "sh -c hook"), process(3, 2, GIT, COMMIT)]),
        ("morning", COMMIT, [SESSION, process(2, 1, GIT, f"sh -c exec {COMMIT}", COMMIT)]),
        ("morning", COMMIT, [SESSION, process(2, 1, "/home/dev/bin/git", COMMIT)]),
        ("morning", COMMIT, [process(1, None, PYTHON, "python3 evil.py"), process(2, 1, GIT, COMMIT)]),
    ],
    ids=["in the install", "a push", "a hook's", "a unit's line", "another git", "not our program"],
)
def test_the_same_words_of_others_are_theirs(phase: str, line: str, processes: list[Process]) -> None:
    assert changed_repository(phase, line, *processes)


START = (
    "python -I -S -c import site, sys; sys.path.append(sys.argv[1]); "
    "site.addpackage(sys.argv[1], sys.argv[2], set()) /v a.pth"
)


@pytest.mark.parametrize(("parent", "told"), [(1, False), (3, True)], ids=["our driver's", "a build's"])
def test_a_start_of_one_start_up_file_by_our_driver_is_ours(parent: int, told: bool) -> None:
    others = [process(1, None, PYTHON, UV_DRIVER), process(3, 1, PYTHON, "python setup.py")]
    assert listed(UV_BUILD, 2, START, *others, process(2, parent, PYTHON, START)) is told
